package complaint

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ARF writes the report as a message (RFC 5965), in lines that end with CRLF and in ASCII. It has
// no recipient: that is for whoever sends it.
func (s *Sighting) ARF() []byte {
	c := s.complaint
	var b bytes.Buffer
	boundary := "=_" + hex.EncodeToString(c.ID[:])
	_, domain, _ := strings.Cut(c.From, "@")
	for _, field := range [][2]string{
		{"From", nameAddress(c.Organization, c.From)},
		{"Date", date(c.At)},
		{"Subject", "Abuse report about " + c.Source.String()},
		{"Message-ID", "<" + hex.EncodeToString(c.ID[:]) + "@" + domain + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/report; report-type=feedback-report; boundary="` + boundary + `"`},
	} {
		writeField(&b, field[0], field[1])
	}
	for _, part := range []struct {
		media string
		body  string
	}{
		{`text/plain; charset="us-ascii"`, s.letter()},
		{"message/feedback-report", s.feedback()},
		{"text/rfc822-headers", s.Header()},
	} {
		b.WriteString("\r\n--" + boundary + "\r\n")
		writeField(&b, "Content-Type", part.media)
		writeField(&b, "Content-Transfer-Encoding", "7bit")
		b.WriteString("\r\n" + part.body)
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes()
}

// letter is the part for people.
func (s *Sighting) letter() string {
	text := "This is an abuse report in the format of RFC 5965.\n\n" + s.summary() + "\n" + s.remark()
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// feedback is the part for machines, RFC 5965 section 3. Nobody vouches for the domains that a
// sender names, so none is reported.
func (s *Sighting) feedback() string {
	var b bytes.Buffer
	fields := [][2]string{
		{"Feedback-Type", "abuse"},
		{"User-Agent", s.complaint.Agent},
		{"Version", "1"},
		{"Source-IP", s.complaint.Source.String()},
		{"Arrival-Date", date(s.Last)},
		{"Incidents", strconv.Itoa(s.Messages)},
	}
	if s.port > 0 {
		fields = append(fields, [2]string{"Source-Port", strconv.Itoa(int(s.port))}) // RFC 6692
	}
	if s.mailFrom != "" {
		fields = append(fields, [2]string{"Original-Mail-From", "<" + s.mailFrom + ">"})
	}
	for _, field := range fields {
		writeField(&b, field[0], field[1])
	}
	return b.String()
}

// Header is what may be told of the messages' header, below a line of our own as every server adds
// one that takes a message (RFC 5321 section 4.4). Its name says nothing, as the names of the hosts
// with traps are nobody's business.
func (s *Sighting) Header() string {
	var b bytes.Buffer
	writeField(&b, "Received", fmt.Sprintf("from unknown ([%s]) by spamtrap.invalid with SMTP; %s",
		literal(s.complaint.Source.String()), date(s.Last)))
	for _, field := range s.fields {
		name, value, _ := strings.Cut(field, ":")
		writeField(&b, name, strings.TrimSpace(value))
	}
	return b.String()
}

// literal is an address as RFC 5321 section 4.1.3 writes it in brackets.
func literal(address string) string {
	if strings.Contains(address, ":") {
		return "IPv6:" + address
	}
	return address
}

func date(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000") }

// Lengths of lines, RFC 5322 section 2.1.1: what one should be, and what a word must be to fit.
const (
	usualLine = 78
	mostWord  = 900
)

// writeField writes a field, folded, its value in ASCII.
func writeField(b *bytes.Buffer, name, value string) {
	b.WriteString(name + ":")
	column := len(name) + 1
	for _, word := range strings.Fields(ascii(value)) {
		word = word[:min(len(word), mostWord)]
		if column+1+len(word) > usualLine && column > len(name)+1 {
			b.WriteString("\r\n")
			column = 0
		}
		b.WriteString(" " + word)
		column += 1 + len(word)
	}
	b.WriteString("\r\n")
}

// ascii encodes what is not (RFC 2047).
func ascii(s string) string {
	if isASCII(s) {
		return s
	}
	return mime.QEncoding.Encode("utf-8", s)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' || r == 0x7f })
}

// nameAddress is a mailbox with its name before it, RFC 5322 section 3.4.
func nameAddress(name, address string) string {
	switch {
	case name == "":
		return address
	case isASCII(name):
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	default:
		name = mime.QEncoding.Encode("utf-8", name)
	}
	return name + " <" + address + ">"
}
