package admin

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/letter"
	"github.com/trapline/trapline/store"
)

// Letter is a message to postmaster or abuse, as a list shows it.
type Letter struct {
	ID      uint64          `json:"id"`
	Time    criteria.Second `json:"time"`
	Source  *netip.Addr     `json:"source"`  // null when nobody can be vouched for
	Peer    *netip.Addr     `json:"peer"`    // null without a connection
	To      []string        `json:"to"`      // local parts, or addresses where asked for
	From    string          `json:"from"`    // as the header says; "" where the text is not kept
	Subject string          `json:"subject"` // likewise
	Size    int64           `json:"size"`    // bytes of the whole message
	Kept    bool            `json:"kept"`    // its text is
}

// LetterText is one letter with what is kept of it.
type LetterText struct {
	Letter
	Text string `json:"text"`          // for people; "" where it is not kept
	Raw  []byte `json:"raw,omitempty"` // as it came, in base64, where asked for
}

// LetterFilter chooses letters; zero fields choose all that are not dealt with.
type LetterFilter struct {
	Since     criteria.Second // received at or after it
	Limit     int             // at most so many; 0: all
	ShowTraps bool            // whole addresses
}

// MostDiscarded bounds the letters of one Discard.
const MostDiscarded = 1000

// Discard is an order to list letters no more. Their text goes with the evidence of their day.
type Discard struct {
	IDs    []uint64 `json:"ids"`
	Reason string   `json:"reason"`
}

// Discarded is a Discard that was carried out.
type Discarded struct {
	Seq uint64          `json:"seq"`
	At  criteria.Second `json:"at"`
	Who string          `json:"who"`
	IDs []uint64        `json:"ids"`
}

// Inbox gives the letters that nobody has dealt with, newest first.
func (d *Desk) Inbox(f LetterFilter) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		gone, given := d.discarded(), 0
		for r, err := range d.Store.Newest(d.Store.Mark().LSN) {
			if err != nil {
				yield(Letter{}, err)
				return
			}
			if f.Since > 0 && r.Stamp+clockSkew < f.Since {
				return
			}
			if !r.Inbox || r.Time < f.Since || gone[r.LSN] {
				continue
			}
			l, err := d.letterOf(&r, f.ShowTraps)
			if !yield(l.Letter, err) || err != nil {
				return
			}
			if given++; given == f.Limit {
				return
			}
		}
	}
}

// discarded gives the letters that are dealt with.
func (d *Desk) discarded() map[uint64]bool {
	gone := map[uint64]bool{}
	for _, dec := range d.Store.Decisions(0, d.Store.Mark().Decision) {
		if dec.Act == criteria.ActDiscard {
			for _, id := range dec.Hits {
				gone[id] = true
			}
		}
	}
	return gone
}

// letterOf reads what is kept of a letter. Postmaster and abuse are nobody's secret, but their domain
// is a trap's.
func (d *Desk) letterOf(r *store.Record, showTraps bool) (LetterText, error) {
	l := LetterText{Letter: Letter{ID: r.LSN, Time: r.Time, Source: addrOrNil(r.Source),
		Peer: addrOrNil(r.Peer.Addr()), To: []string{}, Size: r.Size}}
	for _, to := range r.Recipients {
		name := to.Address
		if !showTraps {
			name, _, _ = strings.Cut(name, "@")
		}
		l.To = append(l.To, name)
	}
	head, err := d.Store.Evidence(r.LSN)
	if err != nil || head == nil {
		return l, err
	}
	redactor := d.redactorFor()
	l.Kept, l.Raw = true, head
	l.From, l.Subject = letter.From(head, redactor), letter.Subject(head, redactor)
	return l, nil
}

// Letter gives one letter, as it came as well where that is asked for. A ProblemError says that there
// is none of that number.
func (d *Desk) Letter(_ context.Context, id uint64, raw bool) (LetterText, error) {
	r, err := d.letterAt(id)
	if err != nil {
		return LetterText{}, err
	}
	l, err := d.letterOf(r, raw)
	if err != nil || !l.Kept {
		return l, err
	}
	l.Text = letter.Text(l.Raw, d.redactorFor())
	if !raw {
		l.Raw = nil
	}
	return l, nil
}

// letterAt finds a letter, also one that is dealt with.
func (d *Desk) letterAt(id uint64) (*store.Record, error) {
	for r, err := range d.Store.Records(id, id) {
		switch {
		case err != nil:
			return nil, err
		case r.Inbox:
			return &r, nil
		}
	}
	return nil, none(fmt.Sprintf("%d is no letter", id), "see trapline inbox list")
}

// Discard lists letters no more: all that are named, or none. A ProblemError says why.
func (d *Desk) Discard(ctx context.Context, who string, o Discard) (Discarded, error) {
	if err := checkReason(o.Reason); err != nil {
		return Discarded{}, err
	}
	slices.Sort(o.IDs)
	o.IDs = slices.Compact(o.IDs)
	if len(o.IDs) == 0 || len(o.IDs) > MostDiscarded {
		return Discarded{}, badRequest(fmt.Sprintf("%d letters are named", len(o.IDs)),
			fmt.Sprintf("give 1 to %d", MostDiscarded))
	}
	d.deciding.Lock()
	defer d.deciding.Unlock()
	gone := d.discarded()
	for _, id := range o.IDs {
		if gone[id] {
			return Discarded{}, none(fmt.Sprintf("letter %d is discarded already", id), "see trapline audit")
		}
		if _, err := d.letterAt(id); err != nil {
			return Discarded{}, err
		}
	}
	made := []criteria.Decision{{Act: criteria.ActDiscard, Who: who, Reason: o.Reason, Hits: o.IDs}}
	if err := d.Store.Decide(ctx, made...); err != nil {
		return Discarded{}, fmt.Errorf("write the ledger: %w", err)
	}
	return Discarded{made[0].Seq, made[0].At, who, o.IDs}, nil
}

// routeInbox serves the mail to postmaster and abuse.
func routeInbox(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("GET /v1/inbox", stream(func(r *http.Request) (iter.Seq2[Letter, error], error) {
		q := r.URL.Query()
		f := LetterFilter{ShowTraps: q.Get("show_traps") == "true"}
		var errLimit, errSince error
		f.Limit, errLimit = strconv.Atoi(q.Get("limit"))
		f.Since, errSince = secondOf(q.Get("since"))
		return d.Inbox(f), cmp.Or(errLimit, errSince)
	}))
	mux.HandleFunc("GET /v1/inbox/letter", answer(func(r *http.Request) (any, error) {
		id, err := strconv.ParseUint(r.FormValue("id"), 10, 64)
		if err != nil {
			return nil, badRequest(fmt.Sprintf("%q is no number of a letter", r.FormValue("id")),
				"see trapline inbox list")
		}
		return d.Letter(r.Context(), id, r.FormValue("raw") == "true")
	}))
	mux.HandleFunc("POST /v1/inbox/discard", answer(ordered(d.Discard)))
}

// Inbox asks for the letters that nobody has dealt with, newest first.
func (c *Client) Inbox(f LetterFilter) iter.Seq2[Letter, error] {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)},
		"show_traps": {strconv.FormatBool(f.ShowTraps)}}
	setSince(q, f.Since)
	return lines[Letter](c, "inbox", q)
}

// Letter asks for one letter.
func (c *Client) Letter(ctx context.Context, id uint64, raw bool) (l LetterText, err error) {
	q := url.Values{"id": {strconv.FormatUint(id, 10)}, "raw": {strconv.FormatBool(raw)}}
	return l, c.ask(ctx, "GET", "inbox/letter", q, nil, &l)
}

// Discard has letters listed no more.
func (c *Client) Discard(ctx context.Context, o Discard) (done Discarded, err error) {
	return done, c.order(ctx, "inbox/discard", o, &done)
}
