package parser

import "bytes"

// A report or an answer tells something, and wants nothing. What would take its reader to a web
// page is what an advertiser needs, and so what is looked for where little else tells the two
// apart.

// holdsLink tells whether plain text may hold the address of a web page: what mail programs make a
// link of. Text with NULs is in no character set that is read here.
func holdsLink(text []byte) bool {
	text = bytes.ToLower(text)
	return bytes.Contains(text, []byte("://")) || bytes.Contains(text, []byte("www.")) ||
		bytes.IndexByte(text, 0) >= 0
}

// linkWords are behind what hypertext shows a link, a picture or a form's destination.
var linkWords = [...]string{"href", "src", "action", "background", "url"}

// holdsHyperlink tells whether HTML may hold a link to anything but a mailbox, a picture or a form.
func holdsHyperlink(text []byte) bool {
	text = bytes.ToLower(text)
	for _, word := range linkWords {
		if leadsOut(text, []byte(word)) {
			return true
		}
	}
	return showsAddress(text) || bytes.IndexByte(text, 0) >= 0
}

// leadsOut tells whether the word stands before a value somewhere, and that is no mailbox.
func leadsOut(text, word []byte) bool {
	for {
		_, rest, found := bytes.Cut(text, word)
		if !found {
			return false
		}
		text = rest
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if len(rest) > 0 && (rest[0] == '=' || rest[0] == '(') &&
			!bytes.HasPrefix(bytes.TrimLeft(rest[1:], " \t\r\n\"'"), []byte("mailto:")) {
			return true
		}
	}
}

// showsAddress knows the addresses of web pages in HTML, but for those by which HTML names itself.
func showsAddress(text []byte) bool {
	for {
		_, rest, found := bytes.Cut(text, []byte("://"))
		if !found {
			return false
		}
		if !bytes.HasPrefix(rest, []byte("www.w3.org/")) &&
			!bytes.HasPrefix(rest, []byte("schemas.microsoft.com/")) {
			return true
		}
		text = rest
	}
}
