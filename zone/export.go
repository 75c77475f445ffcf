package zone

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/trapline/trapline/criteria"
)

// hour in seconds: public times are exact to the hour.
const hour criteria.Second = 3600

// RenderText gives the networks for a firewall, one a line: those with the answers Spam and
// Operator, for backscatter is no reason to refuse a connection, and neither are neighbours. The
// test entries are left out. A retired zone is a comment that says so.
func RenderText(h Header, listings []criteria.Listing) []byte {
	if h.Retired {
		return []byte(titleOf(h) + "\n")
	}
	b := make([]byte, 0, entryBytes*len(listings))
	for i := range listings {
		l := &listings[i]
		if unfit(*l, nil) == "" && (l.Answer == criteria.Spam || l.Answer == criteria.Operator) {
			b = append(appendSource(b, l.Source), '\n')
		}
	}
	return b
}

// RenderJSON gives all listings as one object, a listing a line: source, answer, since and until
// to the hour (the beginning down, the end up; null where only the operator ends it), and the
// number of counted reports of each cause. A retired zone has no listings, and "retired" says why.
func RenderJSON(h Header, listings []criteria.Listing, serial uint32) []byte {
	const guess = 160 // bytes of an entry
	b := make([]byte, 0, 128+guess*len(listings))
	b = fmt.Appendf(b, `{"origin":"%s","serial":%d,`, safeName(h.Origin), max(1, serial))
	if h.Retired {
		b, listings = append(b, `"retired":true,`...), nil
	}
	b = append(b, `"listings":[`...)
	separator := "\n"
	for i := range listings {
		if l := &listings[i]; unfit(*l, nil) == "" {
			b = appendEntry(append(b, separator...), l)
			separator = ",\n"
		}
	}
	return append(b, "\n]}\n"...)
}

func appendEntry(b []byte, l *criteria.Listing) []byte {
	b = append(appendSource(append(b, `{"source":"`...), l.Source), `","answer":"`...)
	b = append(append(b, l.Answer.String()...), `","since":`...)
	b = appendTime(b, hourDown(l.Since))
	b = appendTime(append(b, `,"until":`...), hourUp(l.Until))
	b = append(b, `,"causes":{`...)
	for i, cause := range slices.Sorted(maps.Keys(l.Causes)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), cause.String()...), `":`...)
		b = strconv.AppendInt(b, int64(l.Causes[cause]), 10)
	}
	return append(b, `}}`...)
}

func appendTime(b []byte, s criteria.Second) []byte {
	if s == 0 || s == criteria.Never {
		return append(b, "null"...)
	}
	const form = `"2006-01-02T15:04:05Z"`
	return s.Time().AppendFormat(b, form)
}

func hourDown(s criteria.Second) criteria.Second { return s - s%hour }

func hourUp(s criteria.Second) criteria.Second {
	if s > criteria.Never-hour {
		return s
	}
	return (s + hour - 1) / hour * hour
}

// export is what RenderJSON writes.
type export struct {
	Origin   string  `json:"origin"`
	Serial   uint32  `json:"serial"`
	Retired  bool    `json:"retired"`
	Listings []entry `json:"listings"`
}

// header is as much of a zone's as the export says.
func (e export) header() Header { return Header{Origin: e.Origin, Retired: e.Retired} }

type entry struct {
	Source criteria.Source `json:"source"`
	criteria.Listing
}

// parseJSON reads what RenderJSON wrote, and nothing else.
func parseJSON(data []byte) (export, []criteria.Listing, error) {
	var e export
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return e, nil, fmt.Errorf("read list: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return e, nil, fmt.Errorf("read list: text after its end")
	}
	listings := make([]criteria.Listing, len(e.Listings))
	for i, x := range e.Listings {
		x.Listing.Source = x.Source.Prefix
		if x.Until == 0 {
			x.Until = criteria.Never
		}
		listings[i] = x.Listing
	}
	if !bytes.Equal(RenderJSON(e.header(), listings, e.Serial), data) {
		return e, nil, fmt.Errorf("read list: not in the form or the order we write")
	}
	return e, listings, nil
}
