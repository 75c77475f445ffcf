package parser

import (
	"bytes"
	"slices"
)

// Bounds of the header. What lies beyond is not read: it can only shorten a walk.
const (
	maxHeader = 256 << 10 // bytes
	maxFields = 1000
)

// defect is a set of things that are wrong with a header.
type defect uint8

const (
	tooLong defect = 1 << iota
	tooManyFields
	noColon
	nulByte
	bareCR
	onlyCR
	mboxLine
)

var defectNames = [...]string{
	"header longer than 256 KiB", "more than 1000 header fields", "header line without a colon",
	"NUL in header", "bare CR in header", "CR line ends", "mbox From line",
}

// names writes the set out; an empty set costs nothing.
func (d defect) names() []string {
	var names []string
	for i, name := range defectNames {
		if d&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// field is one header field, by its places in the head. The value is as it came, folds included.
type field struct {
	name, value span
}

// span is a piece of the head. It holds no pointers, so that a header is cheap to keep.
type span struct {
	from, to int32
}

// header is the head of a message, in the order of its lines.
type header struct {
	head    []byte // the part of the message that may be header
	fields  []field
	mbox    []byte // the mbox `From ` line that stood first, without its line end
	body    []byte
	defects defect
}

// scanHeader reads a header that need not be a good one: it skips what is no field, says so, and
// goes on. It ends at the first empty line; a line of blanks alone continues a field, because
// mail servers that fold oddly write such lines. The fields are appended to buf.
func scanHeader(message []byte, buf []field) header {
	h := header{head: message[:min(len(message), maxHeader)], fields: buf}
	lineEnd := h.lineEnd()
	for at := 0; at < len(h.head); {
		stop, next := h.cut(at, lineEnd)
		if stop == at {
			h.body = message[next:]
			return h
		}
		if len(h.fields) == maxFields && !isBlank(h.head[at]) {
			h.defects |= tooManyFields
			return h
		}
		h.addLine(at, stop)
		at = next
	}
	if len(message) > maxHeader {
		h.defects |= tooLong
		h.dropCut()
	}
	return h
}

// lineEnd tells what ends the lines.
func (h *header) lineEnd() byte {
	if bytes.IndexByte(h.head, '\n') < 0 && bytes.IndexByte(h.head, '\r') >= 0 {
		h.defects |= onlyCR // old Macs
		return '\r'
	}
	return '\n'
}

// cut finds where the line at a place stops, without its end however many CRs that has, and where
// the next one begins.
func (h *header) cut(at int, lineEnd byte) (stop, next int) {
	stop, next = len(h.head), len(h.head)
	if n := bytes.IndexByte(h.head[at:], lineEnd); n >= 0 {
		stop, next = at+n, at+n+1
	}
	for stop > at && h.head[stop-1] == '\r' {
		stop--
	}
	return stop, next
}

// addLine takes a line as the next part of the header.
func (h *header) addLine(at, stop int) {
	line := h.head[at:stop]
	if bytes.IndexByte(line, '\r') >= 0 {
		h.defects |= bareCR
	}
	if bytes.IndexByte(line, 0) >= 0 {
		h.defects |= nulByte
	}
	switch {
	case at == 0 && isMboxLine(line):
		h.mbox = line
		h.defects |= mboxLine
	case isBlank(line[0]) && len(h.fields) > 0:
		last := &h.fields[len(h.fields)-1]
		last.value.to = int32(stop)
	default:
		h.addField(line, at)
	}
}

// addField takes the first line of a field. A line that is none is kept as a field without a
// name, so that its continuation lines have something to go with.
func (h *header) addField(line []byte, at int) {
	colon := bytes.IndexByte(line, ':')
	end := max(colon, 0)
	for end > 0 && isBlank(line[end-1]) { // RFC 5322, section 4.5.8
		end--
	}
	if end == 0 || slices.ContainsFunc(line[:end], isBlank) {
		h.defects |= noColon
		end, colon = 0, -1
	}
	h.fields = append(h.fields, field{
		name:  span{int32(at), int32(at + end)},
		value: span{int32(at + colon + 1), int32(at + len(line))},
	})
}

// of gives the bytes of a piece.
func (h *header) of(s span) []byte { return h.head[s.from:s.to] }

// dropCut takes the field away through which the bound went: half a line is no line.
func (h *header) dropCut() {
	if n := len(h.fields); n > 0 {
		h.fields = h.fields[:n-1]
	}
}

// find gives the value of the topmost field of that name, and whether there is one.
func (h *header) find(name string) ([]byte, bool) {
	for i := range h.fields {
		if f := &h.fields[i]; equal(h.of(f.name), name) {
			return h.of(f.value), true
		}
	}
	return nil, false
}

// has tells whether there is a field of that name.
func (h *header) has(name string) bool {
	_, ok := h.find(name)
	return ok
}

// text gives the value of the topmost field of that name, unfolded; "" where there is none.
func (h *header) text(name string) string {
	value, ok := h.find(name)
	if !ok {
		return ""
	}
	return unfold(value)
}

// isMboxLine knows the separator of the mbox format, which is no field.
func isMboxLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
