package mailbox

import "bytes"

// maxHeadLines is how far a header is looked for, and in it the Return-Path. Junk before the first
// field is what some spam does; this much of it none.
const maxHeadLines = 40

// fault says why the bytes are no mail; "" if they may be. A single field makes a mail: what it is
// worth is not decided here.
func fault(data []byte) string {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "empty"
	case isPacked(data):
		return "compressed: unpack it first"
	case isBinary(data):
		return "binary data"
	case !hasField(data):
		return "no header field in its first lines"
	}
	return ""
}

// packed is how files begin that gzip, bzip2, xz, zstd and zip have written.
var packed = [...]string{"\x1f\x8b", "BZh", "\xfd7zXZ\x00", "\x28\xb5\x2f\xfd", "PK\x03\x04"}

// isPacked knows compressed mail: Dovecot's zlib plugin leaves a Maildir full of it.
func isPacked(data []byte) bool {
	for _, magic := range packed {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}

// isBinary tells by the share of control characters in the beginning. A few are no proof: spam has
// them. Text in UTF-16 is binary here as well, for no mail server has ever written a header so.
func isBinary(data []byte) bool {
	start := data[:min(len(data), 512)]
	controls := 0
	for _, c := range start {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\x1b' {
			controls++
		}
	}
	return controls > len(start)/8
}

// hasField looks for a header field before the first blank line, not counting blank lines at the
// top.
func hasField(data []byte) bool {
	data = bytes.TrimLeft(data, "\r\n")
	for range maxHeadLines {
		var line []byte
		if line, data = cutLine(data); len(line) == 0 {
			return false
		}
		if isField(line) {
			return true
		}
	}
	return false
}

// isField tells a name and a colon, perhaps with blanks between them (RFC 5322, section 4.5). Names
// may hold more characters by the letter (section 2.2), but a header in which no name keeps to
// these is none, and JSON and the like are kept out.
func isField(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 {
		return false
	}
	for _, c := range name {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
