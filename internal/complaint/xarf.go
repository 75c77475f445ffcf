package complaint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// xarfVersion is the version of the schema that reports keep: xarf-core.json and
// messaging-spam.json of XARF 4.
const xarfVersion = "4.0.0"

// mostXARFDescription bounds the description, in characters.
const mostXARFDescription = 1000

type xarf struct {
	Version        string         `json:"xarf_version"`
	ID             string         `json:"report_id"`
	Timestamp      string         `json:"timestamp"`
	Reporter       xarfContact    `json:"reporter"`
	Sender         xarfContact    `json:"sender"`
	Source         string         `json:"source_identifier"`
	SourcePort     uint16         `json:"source_port,omitempty"`
	Category       string         `json:"category"`
	Type           string         `json:"type"`
	Protocol       string         `json:"protocol"`
	MailFrom       string         `json:"smtp_from,omitempty"`
	EvidenceSource string         `json:"evidence_source"`
	Description    string         `json:"description"`
	Evidence       []xarfEvidence `json:"evidence"`
}

type xarfContact struct {
	Organization string `json:"org"`
	Contact      string `json:"contact"`
	Domain       string `json:"domain"`
}

type xarfEvidence struct {
	ContentType string `json:"content_type"`
	Description string `json:"description"`
	Payload     string `json:"payload"` // base64
	Hash        string `json:"hash"`
	Size        int    `json:"size"`
}

// XARF writes the report as a JSON object of XARF 4, of category messaging and type spam. The
// schema lets a report say "smtp" only with the sender's port and address. Where these cannot be
// told the protocol is "other", and the description says which.
func (s *Sighting) XARF() []byte {
	c := s.complaint
	_, domain, _ := strings.Cut(c.From, "@")
	who := xarfContact{c.Organization, c.From, domain}
	header := s.Header()
	sum := sha256.Sum256([]byte(header))
	report := xarf{Version: xarfVersion, ID: uuid(c.ID), Timestamp: s.Last.Format(time.RFC3339),
		Reporter: who, Sender: who, Source: c.Source.String(), Category: "messaging", Type: "spam",
		Protocol: "other", MailFrom: s.mailFrom, EvidenceSource: "spamtrap",
		Evidence: []xarfEvidence{{"text/rfc822-headers", oneLine(s.remark()),
			base64.StdEncoding.EncodeToString([]byte(header)), "sha256:" + hex.EncodeToString(sum[:]),
			len(header)}}}
	text := s.summary()
	if s.port > 0 && s.mailFrom != "" {
		report.Protocol, report.SourcePort = "smtp", s.port
	} else {
		text += "It came by SMTP; port or sender are not told."
	}
	report.Description = cut(oneLine(text), mostXARFDescription)
	return encoded(report)
}

// uuid writes an id as a random UUID, RFC 9562 section 5.4.
func uuid(id [16]byte) string {
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func cut(s string, most int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), most)])
}

// encoded is for programs, not for HTML.
func encoded(report xarf) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(report) // texts and numbers encode
	return b.Bytes()
}
