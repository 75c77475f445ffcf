package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Orders is what the operator may order, carried out by others.
type Orders struct {
	// Ingest records a message from a file; trap is "" where the message's own
	// recipients decide.
	Ingest func(ctx context.Context, message []byte, from, trap string, again bool) (Ingested, error)
	// Zone carries out what is ordered of the zone; nil without a publisher.
	Zone *ZoneDesk
	// Reload puts the configuration on disk in force, by whose order.
	Reload func(ctx context.Context, who string) (Settled, error)
	// Preview says what Reload would change if the file had this text.
	Preview func(ctx context.Context, name string, text []byte) (Preview, error)
}

// mostBody bounds a request's body: a message.
const mostBody = 32 << 20

// ProblemError is an answer that says no: what is wrong, and the mend.
type ProblemError struct {
	Message string `json:"error"`
	Hint    string `json:"hint,omitempty"`
	Status  int    `json:"-"`
}

// Error gives both in one line.
func (p *ProblemError) Error() string {
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + ": " + p.Hint
}

func badRequest(message, hint string) error {
	return &ProblemError{message, hint, http.StatusBadRequest}
}

// IsMisuse tells whether what was asked is wrong in its form, or lacks a word.
func IsMisuse(err error) bool {
	var p *ProblemError
	return errors.As(err, &p) && p.Status == http.StatusBadRequest
}

// Handler serves the questions of a desk and the orders.
func Handler(d *Desk, o Orders) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/lookup", answer(func(r *http.Request) (any, error) {
		a, err := netip.ParseAddr(r.FormValue("ip"))
		if err != nil {
			return nil, badRequest(fmt.Sprintf("%q is not an address", r.FormValue("ip")),
				"give an IPv4 or IPv6 address")
		}
		return d.Lookup(a)
	}))
	mux.HandleFunc("GET /v1/listings", stream(func(r *http.Request) (iter.Seq2[Listing, error], error) {
		return listings(d, r.URL.Query())
	}))
	mux.HandleFunc("GET /v1/hits", stream(func(r *http.Request) (iter.Seq2[Hit, error], error) {
		f, err := hitFilterOf(r.URL.Query())
		return d.Hits(f), err
	}))
	mux.HandleFunc("GET /v1/exceptions", stream(func(r *http.Request) (
		iter.Seq2[criteria.Exception, error], error) {
		return exceptions(d, r.URL.Query())
	}))
	mux.HandleFunc("GET /v1/audit", stream(func(r *http.Request) (iter.Seq2[Decision, error], error) {
		f, err := auditFilterOf(r.URL.Query())
		return d.Audit(f), err
	}))
	mux.HandleFunc("POST /v1/decide", answer(ordered(d.Decide)))
	mux.HandleFunc("POST /v1/import", answer(ordered(d.Import)))
	mux.HandleFunc("GET /v1/policy", answer(func(*http.Request) (any, error) { return d.Policy() }))
	mux.HandleFunc("POST /v1/simulate", stream(func(r *http.Request) (iter.Seq2[Simulated, error], error) {
		s, err := simulationIn(r)
		return d.Simulate(r.Context(), s), err
	}))
	mux.HandleFunc("GET /v1/stats", answer(func(*http.Request) (any, error) { return d.Stats() }))
	mux.HandleFunc("POST /v1/ingest", answer(o.ingest(&bringing{store: d.Store})))
	routeReload(mux, o)
	routePulse(mux, d)
	routeTraps(mux, d)
	routeStore(mux, d)
	if d.Disputes != nil {
		routeDisputes(mux, d)
	}
	routeHouse(mux, d)
	routeEvidence(mux, d)
	routeInbox(mux, d)
	if o.Zone != nil {
		routeZone(mux, o.Zone)
	}
	return mux
}

func listings(d *Desk, q url.Values) (iter.Seq2[Listing, error], error) {
	f := ListingFilter{Cause: q.Get("cause")}
	var err error
	if f.Since, err = secondOf(q.Get("since")); err != nil {
		return nil, err
	}
	if f.CIDR, err = networkOf(q.Get("cidr")); err != nil {
		return nil, err
	}
	chosen, err := d.Listings(f)
	return each(chosen), err
}

func exceptions(d *Desk, q url.Values) (iter.Seq2[criteria.Exception, error], error) {
	within, err := networkOf(q.Get("cidr"))
	if err != nil {
		return nil, err
	}
	found, err := d.Exceptions(within)
	return each(found), err
}

// each makes a stream of a slice.
func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, value := range all {
			if !yield(value, nil) {
				return
			}
		}
	}
}

func auditFilterOf(q url.Values) (f AuditFilter, err error) {
	f.Act, f.ShowTraps = criteria.Act(q.Get("act")), q.Get("show_traps") == "true"
	f.By, f.OldestFirst = q.Get("by"), q.Get("order") == oldestFirst
	if f.Limit, err = limitOf(q.Get("limit")); err != nil {
		return f, err
	}
	if f.Since, err = secondOf(q.Get("since")); err != nil {
		return f, err
	}
	f.Until, err = secondOf(q.Get("until"))
	return f, err
}

// ordered makes an answer of what carries out an order, read from the request's
// body, in the name of whoever is at the other end.
func ordered[In, Out any](carryOut func(context.Context, string, In) (Out, error)) func(
	*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var order In
		in := json.NewDecoder(io.LimitReader(r.Body, mostBody))
		in.DisallowUnknownFields()
		if err := in.Decode(&order); err != nil {
			return nil, badRequest("read the order: "+err.Error(), "is this client of the same version?")
		}
		return carryOut(r.Context(), whoIn(r.Context()), order)
	}
}

func hitFilterOf(q url.Values) (f HitFilter, err error) {
	f.Unattributed, f.ShowTraps = q.Get("unattributed") == "true", q.Get("show_traps") == "true"
	f.OldestFirst = q.Get("order") == oldestFirst
	if f.Limit, err = limitOf(q.Get("limit")); err != nil {
		return f, err
	}
	if f.Since, err = secondOf(q.Get("since")); err != nil {
		return f, err
	}
	if f.Until, err = secondOf(q.Get("until")); err != nil {
		return f, err
	}
	f.CIDR, err = networkOf(q.Get("cidr"))
	return f, err
}

// limitOf reads how many are wanted at most; 0, and no word of it, is all.
func limitOf(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest(fmt.Sprintf("limit %q is not a number of answers", text), "give 0 for all")
	}
	return n, nil
}

func secondOf(text string) (s criteria.Second, err error) {
	if text == "" {
		return 0, nil
	}
	if s.UnmarshalJSON([]byte(strconv.Quote(text))) != nil {
		return 0, badRequest(fmt.Sprintf("%q is not a time", text), "give it as 2026-11-24T18:00:00Z")
	}
	return s, nil
}

func networkOf(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, badRequest(fmt.Sprintf("%q is not a network", text), "give it as 192.0.2.0/24")
	}
	return p.Masked(), nil
}

// answer makes a handler that replies with one JSON object.
func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := f(r)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value) // the asker may be gone
	}
}

// stream makes a handler that replies with one JSON object a line. An error in
// the middle is the last line, an object with "error".
func stream[T any](f func(*http.Request) (iter.Seq2[T, error], error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		values, err := f(r)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/jsonl")
		out := json.NewEncoder(&prompt{ResponseWriter: w})
		for value, err := range values {
			if err != nil {
				_ = out.Encode(problemOf(err))
				return
			}
			if out.Encode(value) != nil {
				return
			}
		}
	}
}

// prompt is a writer whose lines come through soon: how far long work is must be seen
// while it lasts.
type prompt struct {
	http.ResponseWriter
	flushed time.Time
}

// flushEvery is how long a line may wait for others.
const flushEvery = 100 * time.Millisecond

// Write sends on what has waited, now and then.
func (p *prompt) Write(b []byte) (int, error) {
	n, err := p.ResponseWriter.Write(b)
	if now := time.Now(); err == nil && now.Sub(p.flushed) > flushEvery {
		p.flushed = now
		err = http.NewResponseController(p.ResponseWriter).Flush()
	}
	return n, err
}

func refuse(w http.ResponseWriter, err error) {
	p := problemOf(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func problemOf(err error) *ProblemError {
	var p *ProblemError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, judge.ErrNotReady):
		return &ProblemError{"the daemon is still reading its log",
			"ask again in a while; /readyz tells when", http.StatusServiceUnavailable}
	}
	return &ProblemError{err.Error(), "", http.StatusInternalServerError}
}
