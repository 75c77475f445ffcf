package parser

import (
	"bytes"
	"io"
	"strings"

	"github.com/emersion/go-message"
)

// Bounds of the parts of a message. Each level reads its bytes once more, so time is at most
// maxLevels times the size.
const (
	maxLevels   = 8
	maxParts    = 100
	maxMedia    = 4 << 10 // bytes of a Content-Type field that are read
	maxBoundary = 256     // bytes; RFC 2046, section 5.1.1 allows 70
)

// Taking a message apart is ours, in bounds and without a claim to good form: go-message loses a
// whole header for one bad line, and takes time by the square of the levels. A part that is found
// is decoded by go-message.

// media is the value of a Content-Type field, unfolded (RFC 2045, section 5.1).
type media string

// mediaOf gives the type that a header tells; "" if it tells none.
func mediaOf(h *header) media {
	value, _ := h.find("Content-Type")
	return media(unfold(value[:min(len(value), maxMedia)]))
}

// is compares the type itself with the names, letters in any case.
func (m media) is(names ...string) bool {
	kind := m.kind()
	for _, name := range names {
		if equal(kind, name) {
			return true
		}
	}
	return false
}

// kind is the type without its parameters.
func (m media) kind() string {
	kind, _, _ := strings.Cut(string(m), ";")
	return strings.TrimSpace(kind)
}

// isMultipart tells whether it has parts.
func (m media) isMultipart() bool { return hasPrefix(string(m), "multipart/") }

// param gives a parameter without its quotes; "" if there is none. It reads what mime's parser
// refuses: a type with one bad parameter still has its boundary.
func (m media) param(name string) string {
	_, rest, _ := strings.Cut(string(m), ";")
	for rest != "" {
		var key, value string
		key, rest, _ = strings.Cut(rest, "=")
		value, rest = cutParam(strings.TrimSpace(rest))
		if equal(strings.TrimSpace(key), name) {
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

// part is one leaf of a message's tree of parts: anything that has no parts of its own.
type part struct {
	header *header
	media  media
	body   []byte // as it came
}

// decoded gives the body without its transfer encoding (RFC 2045, section 6) as far as it can be
// read, and the first bytes of it if it is longer than the limit.
func (p *part) decoded(limit int) []byte {
	coding := p.header.text("Content-Transfer-Encoding")
	if !hasPrefix(coding, "base64") && !hasPrefix(coding, "quoted-printable") {
		return p.body[:min(len(p.body), limit)]
	}
	coding, _, _ = strings.Cut(coding, " ")
	var h message.Header
	h.Set("Content-Transfer-Encoding", coding)
	body := p.body
	if bytes.IndexByte(body, '\n') < 0 { // the decoder knows no old Macs' lines
		body = bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))
	}
	entity, err := message.New(h, bytes.NewReader(body))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(io.LimitReader(entity.Body, int64(limit)))
	return plain // what was read up to a fault is evidence too
}

// isOpaque tells whether a reader may be shown something else than what is read here: the part has
// two types, or a transfer encoding that is not known.
func (p *part) isOpaque() bool {
	types := 0
	for i := range p.header.fields {
		if equal(p.header.of(p.header.fields[i].name), "Content-Type") {
			types++
		}
	}
	coding, _, _ := strings.Cut(p.header.text("Content-Transfer-Encoding"), " ")
	coding = strings.TrimSuffix(coding, ";")
	for _, known := range [...]string{"", "7bit", "8bit", "binary", "quoted-printable", "base64",
		"7-bit", "8-bit"} {
		if equal(coding, known) {
			return types > 1
		}
	}
	return true
}

// partWalk visits leaves in order, within the bounds.
type partWalk struct {
	visit func(*part)
	left  int  // parts that may still be visited
	cut   bool // there are more
}

// eachPart calls visit for every leaf of the message, and tells whether it reached them all.
// Attached messages are leaves: what is in them is not looked at.
func eachPart(h *header, visit func(*part)) bool {
	w := partWalk{visit: visit, left: maxParts}
	w.entity(h, maxLevels)
	return !w.cut
}

func (w *partWalk) entity(h *header, levels int) {
	m := mediaOf(h)
	d := delimiterOf(m)
	_, rest, more := d.cut(h.body)
	if !more { // a multipart without a delimiter is its own only part
		w.visit(&part{header: h, media: m, body: h.body})
		return
	}
	if levels == 0 {
		w.cut = true
		return
	}
	for more && w.left > 0 {
		w.left--
		var entity []byte
		entity, rest, more = d.cut(rest)
		inner := scanHeader(entity, nil)
		w.entity(&inner, levels-1)
	}
	w.cut = w.cut || more
}

// delimiter is what stands before each part of a multipart; nil for anything else.
type delimiter []byte

func delimiterOf(m media) delimiter {
	boundary := m.param("boundary")
	if !m.isMultipart() || boundary == "" || len(boundary) > maxBoundary {
		return nil
	}
	return delimiter("--" + boundary)
}

// cut parts a multipart body at the next delimiter line (RFC 2046, section 5.1.1), to which the
// line end before it belongs, and tells whether another part follows it. Without a delimiter
// everything stands before it.
func (d delimiter) cut(b []byte) (before, after []byte, more bool) {
	for at := 0; len(d) > 0; {
		n := bytes.Index(b[at:], d)
		if n < 0 {
			break
		}
		start := at + n
		at = start + len(d)
		if start > 0 && b[start-1] != '\n' && b[start-1] != '\r' {
			continue // before the line is measured: one long line may hold many of these
		}
		line, rest := cutLine(b[at:])
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			return withoutLineEnd(b[:start]), rest, true
		}
		if string(line) == "--" {
			return withoutLineEnd(b[:start]), nil, false
		}
	}
	return b, nil, false
}

// withoutLineEnd takes the last line end away.
func withoutLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
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
