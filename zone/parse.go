package zone

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Zone is what a zone file says.
type Zone struct {
	Header    Header
	Serial    uint32
	Published criteria.Second    // five minutes after its stamp; 0 without a stamp
	Listings  []criteria.Listing // source and answer alone, as Resolve sorts; no test entries
}

// Parse reads a zone strictly: it takes what Render can have written, byte for byte, and nothing
// that rbldnsd would read otherwise or skip. The error is Faults and names every line that is
// wrong; what could be read is returned with it.
func Parse(data []byte) (Zone, error) {
	r := reader{rest: data}
	r.head()
	for _, f := range families {
		r.dataset(f)
	}
	r.end()
	r.sortListings()
	return r.zone, r.faults.orNil()
}

// reader walks the lines of a zone.
type reader struct {
	rest   []byte
	number int    // of the present line, from 1
	text   string // of the present line, when more
	more   bool
	zone   Zone
	faults Faults
}

// next steps to the next line and tells whether there is one.
func (r *reader) next() bool {
	if len(r.rest) == 0 {
		r.text, r.more = "", false
		return false
	}
	line, rest, whole := bytes.Cut(r.rest, []byte("\n"))
	r.number++
	r.text, r.more, r.rest = string(line), true, rest
	if !whole {
		r.fault("is cut off: a zone ends with a line break")
	}
	return true
}

// lineName names a line; of a long one its beginning.
func lineName(number int, text string) string {
	const longest = 80
	return fmt.Sprintf("line %d %.*q", number, longest, text)
}

func (r *reader) fault(problem string) {
	where := "at the end"
	if r.more {
		where = lineName(r.number, r.text)
	}
	r.faults = append(r.faults, Fault{where, problem})
}

// head reads up to the first dataset. The values are read loosely, then written again: a line that
// is not what Render makes of its own values is wrong.
func (r *reader) head() {
	var lines []string
	first, seen := r.number+1, map[string]bool{}
	for r.next() && !strings.HasPrefix(r.text, "$DATASET") {
		if keyword := keywordOf(r.text); !seen[keyword] { // rbldnsd takes the first, too
			seen[keyword] = true
			r.readHead(keyword, strings.Split(r.text, " "))
		}
		lines = append(lines, r.text)
	}
	written := string(appendHead(nil, r.zone.Header, r.zone.Serial, r.zone.Published))
	r.compareHead(first, lines, strings.Split(strings.TrimSuffix(written, "\n"), "\n"))
}

func keywordOf(line string) string {
	keyword, _, _ := strings.Cut(line, " ")
	return keyword
}

func begins(keyword string) func(string) bool {
	return func(line string) bool { return keywordOf(line) == keyword }
}

// compareHead matches lines by keyword, so that one line too many or too few is one fault.
func (r *reader) compareHead(first int, lines, want []string) {
	for i, line := range lines {
		at := slices.IndexFunc(want, begins(keywordOf(line)))
		where := lineName(first+i, line)
		if at < 0 {
			r.faults = append(r.faults, Fault{where, "has no place here before the datasets"})
			continue
		}
		r.missing(want[:at])
		if line != want[at] {
			r.faults = append(r.faults, Fault{where, "is not " + want[at]})
		}
		want = want[at+1:]
	}
	r.missing(want)
}

func (r *reader) missing(lines []string) {
	for _, line := range lines {
		r.faults = append(r.faults, Fault{"before the datasets", "is missing: " + line})
	}
}

// readHead takes the values of one line of the head.
func (r *reader) readHead(keyword string, words []string) {
	h := &r.zone.Header
	word := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch keyword {
	case "#":
		h.Origin = word(1)
		h.Retired = r.text == titleOf(Header{Origin: h.Origin, Retired: true})
	case "$TIMESTAMP":
		if stamp, err := time.Parse(stampForm, word(1)); err == nil {
			r.zone.Published = criteria.At(stamp.Add(stampAge))
		}
		h.ValidFor = secondsOf(strings.TrimSuffix(strings.TrimPrefix(word(2), "+"), "s"))
	case "$SOA":
		serial, _ := strconv.ParseUint(word(4), 10, 32)
		h.Contact, r.zone.Serial = word(3), uint32(serial)
		h.NS = []string{word(2)} // until $NS names them all
		h.NegativeTTL = secondsOf(word(8))
	case "$NS":
		h.NS = words[min(2, len(words)):]
	case "$TTL":
		h.TTL = secondsOf(word(1))
	}
}

// secondsOf reads what the function seconds wrote; 0 what is none.
func secondsOf(s string) time.Duration {
	const most = uint64(1<<63-1) / uint64(time.Second)
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > most {
		return 0
	}
	return time.Duration(n) * time.Second
}

// dataset reads one family: its $DATASET line stands before the reader.
func (r *reader) dataset(f family) {
	if r.text != "$DATASET "+f.name+" @" {
		r.fault("is not the line $DATASET " + f.name + " @")
		if !strings.HasPrefix(r.text, "$DATASET") {
			return
		}
	}
	g := group{family: f, answer: -1}
	for r.next() && !strings.HasPrefix(r.text, "$DATASET") && !strings.HasPrefix(r.text, "# end") {
		if strings.HasPrefix(r.text, ":") && !strings.HasPrefix(r.text, "::") {
			r.openGroup(&g)
		} else {
			r.entry(&g)
		}
	}
	if !g.tested {
		r.faults = append(r.faults, Fault{f.name, "has no test entry " + f.test})
	}
	r.closeGroup(&g)
}

// group is the default line that entries stand under.
type group struct {
	family  family
	answer  int // index of inFile, -1 before the first
	tested  bool
	entries int
	last    netip.Prefix
}

func (r *reader) openGroup(g *group) {
	r.closeGroup(g)
	value, text, _ := strings.Cut(strings.TrimPrefix(r.text, ":"), ":")
	answer := slices.IndexFunc(inFile[:],
		func(a criteria.Answer) bool { return a.String() == value })
	switch {
	case answer < 0:
		r.fault("has no answer of the zone")
	case answer <= g.answer:
		r.fault("stands after a group of the same or a later answer")
	case g.family.name == families[0].name && g.answer < 0:
		r.zone.Header.Text = text
	}
	if answer >= 0 && text != textOf(inFile[answer], r.zone.Header.Text) || text != safeText(text) {
		r.fault("has another text than the zone, or one that is not plain")
	}
	g.answer, g.entries, g.last = max(answer, g.answer), 0, netip.Prefix{}
}

// closeGroup faults a default line without entries.
func (r *reader) closeGroup(g *group) {
	if g.answer > 0 && g.entries == 0 {
		where := g.family.name + " " + inFile[g.answer].String()
		r.faults = append(r.faults, Fault{where, "has no entries"})
	}
}

// entry reads one network below its default line.
func (r *reader) entry(g *group) {
	p, err := prefixOf(r.text)
	switch {
	case g.answer < 0:
		r.fault("stands below no default line")
	case r.text == g.family.test:
		if g.tested || g.answer > 0 || g.entries > 0 {
			r.fault("stands elsewhere than first, where a test entry belongs")
		}
		g.tested = true
	case err != nil || string(appendSource(nil, p)) != r.text:
		r.fault("is neither an address nor a network, in full")
	case !g.family.has(p.Addr()):
		r.fault("is of the other family")
	case g.last.IsValid() && comparePrefix(g.last, p) >= 0:
		r.fault("does not come after the line before")
	default:
		r.take(g, criteria.Listing{Source: p, Answer: inFile[g.answer]})
	}
}

func (r *reader) take(g *group, l criteria.Listing) {
	if problem := unfit(l, nil); problem != "" {
		r.fault(problem)
		return
	}
	if r.zone.Header.Retired {
		r.fault("is listed in a zone that is retired")
		return
	}
	g.last = l.Source
	g.entries++
	r.zone.Listings = append(r.zone.Listings, l)
}

// prefixOf reads an address or a network.
func prefixOf(s string) (netip.Prefix, error) {
	var source criteria.Source
	err := source.UnmarshalText([]byte(s))
	return source.Prefix, err
}

// end reads the sentinel: its count shows lines that were lost in between.
func (r *reader) end() {
	want := sentinel(r.zone.Header.Origin, len(r.zone.Listings))
	if r.text != want {
		r.fault("is not the last line, " + want)
		if !strings.HasPrefix(r.text, "# end") {
			return
		}
	}
	for r.next() {
		r.fault("stands after the end")
	}
}

// sortListings orders the groups into one list and faults what is in two of them.
func (r *reader) sortListings() {
	bySource(r.zone.Listings)
	for i, l := range r.zone.Listings {
		if i > 0 && l.Source == r.zone.Listings[i-1].Source {
			r.faults = append(r.faults, Fault{l.Source.String(), "is listed with two answers"})
		}
	}
}
