package admin

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/trapline/trapline/criteria"
)

// routeTraps serves questions and orders about traps and reputation.
func routeTraps(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("GET /v1/traps", stream(func(*http.Request) (iter.Seq2[Trap, error], error) {
		traps, err := d.Traps()
		return each(traps), err
	}))
	mux.HandleFunc("GET /v1/traps/stats", stream(func(r *http.Request) (
		iter.Seq2[TrapStats, error], error) {
		f, err := trapFilterOf(r.URL.Query())
		if err != nil {
			return nil, err
		}
		stats, err := d.TrapStats(r.Context(), f)
		return each(stats), err
	}))
	mux.HandleFunc("POST /v1/traps", answer(ordered(d.Correct)))
	mux.HandleFunc("GET /v1/reputation", answer(func(r *http.Request) (any, error) {
		a, err := netip.ParseAddr(r.FormValue("ip"))
		if err != nil {
			return nil, badRequest(fmt.Sprintf("%q is not an address", r.FormValue("ip")),
				"give an IPv4 or IPv6 address")
		}
		return d.Reputation(a)
	}))
	mux.HandleFunc("POST /v1/reputation", answer(func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return d.Count(r.Context(), whoIn(r.Context()), q.Get("name"), q.Get("reason"), r.Body)
	}))
	mux.HandleFunc("GET /v1/safeguards", answer(func(*http.Request) (any, error) {
		return d.Safeguards()
	}))
}

// routePulse serves what came in of late.
func routePulse(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("GET /v1/live", answer(func(r *http.Request) (any, error) {
		q := r.URL.Query()
		f := PulseFilter{ShowTraps: q.Get("show_traps") == "true"}
		var err error
		if f.Top, err = strconv.Atoi(q.Get("top")); err != nil {
			return nil, badRequest(fmt.Sprintf("top %q is not a number", q.Get("top")), "give 0 to 1000")
		}
		if f.Span, err = time.ParseDuration(q.Get("span")); err != nil {
			return nil, badRequest(fmt.Sprintf("span %q is not a duration", q.Get("span")), "give 1m0s")
		}
		return d.Live(r.Context(), f)
	}))
}

func trapFilterOf(q url.Values) (f TrapFilter, err error) {
	if f.Top, err = strconv.Atoi(q.Get("top")); err != nil {
		return f, badRequest(fmt.Sprintf("top %q is not a number", q.Get("top")), "give 0 to 1000")
	}
	f.Since, err = secondOf(q.Get("since"))
	return f, err
}

// Live asks for what came in of late, and what stands.
func (c *Client) Live(ctx context.Context, f PulseFilter) (l Live, err error) {
	q := url.Values{"span": {f.Span.String()}, "top": {strconv.Itoa(f.Top)},
		"show_traps": {strconv.FormatBool(f.ShowTraps)}}
	return l, c.ask(ctx, "GET", "live", q, nil, &l)
}

// Traps asks for the traps and what was decided about them.
func (c *Client) Traps() ([]Trap, error) { return gathered(lines[Trap](c, "traps", nil)) }

// TrapStats has the hits of all traps surveyed.
func (c *Client) TrapStats(_ context.Context, f TrapFilter) ([]TrapStats, error) {
	q := url.Values{"top": {strconv.Itoa(f.Top)}}
	setSince(q, f.Since)
	return gathered(lines[TrapStats](c, "traps/stats", q))
}

// Correct has an order about a trap carried out.
func (c *Client) Correct(ctx context.Context, o TrapOrder) (done Corrected, err error) {
	return done, c.order(ctx, "traps", o, &done)
}

// Reputation asks for the points of an address.
func (c *Client) Reputation(a netip.Addr) (r Reputation, err error) {
	q := url.Values{"ip": {a.String()}}
	return r, c.ask(context.Background(), "GET", "reputation", q, nil, &r)
}

// Count brings points that somebody counted.
func (c *Client) Count(ctx context.Context, name, reason string, points []criteria.Point) (
	done Counted, err error) {
	q := url.Values{"name": {name}, "reason": {reason}}
	return done, c.ask(ctx, "POST", "reputation", q, &frames{points: points}, &done)
}

// Safeguards asks what keeps wanted mail off the list.
func (c *Client) Safeguards() (s Safeguards, err error) {
	return s, c.ask(context.Background(), "GET", "safeguards", nil, nil, &s)
}
