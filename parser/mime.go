package parser

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// Bounds of the parts of a message. Each level reads its bytes once more, so time is at most
// maxLevels times the size.
const (
	maxLevels = 8
	maxParts  = 100
)

// media is the value of a Content-Type field, unfolded (RFC 2045, section 5.1).
type media string

// is compares the type itself with the names, letters in any case.
func (m media) is(names ...string) bool {
	kind, _, _ := strings.Cut(string(m), ";")
	kind = strings.TrimSpace(kind)
	for _, name := range names {
		if strings.EqualFold(kind, name) {
			return true
		}
	}
	return false
}

// isMultipart tells whether it has parts.
func (m media) isMultipart() bool { return hasPrefix(string(m), "multipart/") }

// param gives a parameter without its quotes; "" if there is none.
func (m media) param(name string) string {
	_, rest, _ := strings.Cut(string(m), ";")
	for rest != "" {
		var key, value string
		key, rest, _ = strings.Cut(rest, "=")
		value, rest = cutParam(strings.TrimSpace(rest))
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return value
		}
	}
	return ""
}

// cutParam takes a parameter's value off, quoted or not, up to the semicolon behind it.
func cutParam(s string) (value, rest string) {
	if size := 0; strings.HasPrefix(s, `"`) {
		if size = quotedLen(s); size > 0 {
			value = strings.ReplaceAll(s[1:size-1], `\`, "")
			_, rest, _ = strings.Cut(s[size:], ";")
			return value, rest
		}
	}
	value, rest, _ = strings.Cut(s, ";")
	return strings.TrimSpace(value), rest
}

// part is one leaf of a message's tree of parts: anything that is no multipart.
type part struct {
	media  media
	coding string // Content-Transfer-Encoding
	body   []byte // as it came
}

// decoded gives the body without its transfer encoding, as far as it can be read.
func (p *part) decoded() []byte {
	var r io.Reader
	switch {
	case strings.EqualFold(p.coding, "base64"):
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.body))
	case strings.EqualFold(p.coding, "quoted-printable"):
		r = quotedprintable.NewReader(bytes.NewReader(p.body))
	default:
		return p.body
	}
	plain, _ := io.ReadAll(r) // what was read up to a fault is evidence too
	return plain
}

// partWalk visits leaves in order, within the bounds.
type partWalk struct {
	visit func(part)
	left  int // parts that may still be visited
}

// eachPart calls visit for every leaf of the message. Attached messages are leaves: what is in
// them is not looked at.
func eachPart(h *header, visit func(part)) {
	w := partWalk{visit: visit, left: maxParts}
	w.entity(h, maxLevels)
}

func (w *partWalk) entity(h *header, levels int) {
	m := media(h.text("Content-Type"))
	boundary := m.param("boundary")
	if !m.isMultipart() || boundary == "" {
		w.visit(part{media: m, coding: h.text("Content-Transfer-Encoding"), body: h.body})
		return
	}
	if levels == 0 {
		return
	}
	_, rest, more := cutDelimiter(h.body, boundary)
	for more && w.left > 0 {
		w.left--
		var entity []byte
		entity, rest, more = cutDelimiter(rest, boundary)
		inner := scanHeader(entity, nil)
		w.entity(&inner, levels-1)
	}
}

// cutDelimiter parts a multipart body at the next delimiter line (RFC 2046, section 5.1.1) and
// tells whether another part follows it. Without a delimiter everything stands before it.
func cutDelimiter(b []byte, boundary string) (before, after []byte, more bool) {
	for at := 0; ; {
		n := bytes.Index(b[at:], []byte("--"+boundary))
		if n < 0 {
			return b, nil, false
		}
		start := at + n
		at = start + len("--") + len(boundary)
		line, rest := cutLine(b[at:])
		if start > 0 && b[start-1] != '\n' && b[start-1] != '\r' {
			continue
		}
		switch string(bytes.TrimSpace(line)) {
		case "":
			return b[:start], rest, true
		case "--":
			return b[:start], nil, false
		}
	}
}

// cutLine takes a line off, whether CRLF, LF or, in old Macs' files, CR ends it.
func cutLine(b []byte) (line, rest []byte) {
	end := bytes.IndexAny(b, "\r\n")
	if end < 0 {
		return b, nil
	}
	rest = b[end+1:]
	if b[end] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return b[:end], rest
}
