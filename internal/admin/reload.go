package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Area is a part of the configuration that a reload changes: how many tables came
// and went, how many keys are others. It has neither values nor names of traps.
type Area struct {
	Name    string   `json:"area"`
	Added   int      `json:"added"`
	Removed int      `json:"removed"`
	Changed int      `json:"changed"`
	Keys    []string `json:"keys"` // that have another value
}

// Difference is one key of the configuration with another value, or one table of
// a list that comes or goes. Traps are named in it.
type Difference struct {
	Key     string `json:"key"`
	Of      string `json:"of"`     // which table of a list; "" of other keys
	Change  string `json:"change"` // added, removed, changed
	From    string `json:"from"`
	To      string `json:"to"`
	Restart bool   `json:"restart"` // only a start can bring it: a reload would be refused
}

// Preview is what a reload would change.
type Preview struct {
	Daemon      bool         `json:"daemon"`  // compared with what a daemon has in force, else with the ledger
	Before      string       `json:"before"`  // version in force; "": the ledger knows of none
	Version     string       `json:"version"` // of the configuration that is tried
	Differences []Difference `json:"differences"`
	// Parts are those of which the versions differ: all that is known where no daemon says more.
	Parts     []string `json:"parts"`
	Decisions int      `json:"decisions"` // that the ledger would get
	Reading   bool     `json:"reading"`   // the log is still being read: nothing is known of the list

	Listed   []Listing `json:"listed"` // would begin; since when is not known
	Delisted []Listing `json:"delisted"`
	Changed  []Listing `json:"changed"` // would have this answer instead of another
}

// Empty tells whether a reload would change nothing.
func (p Preview) Empty() bool { return p.Before == p.Version && p.Decisions == 0 }

// Preview says what it would change if the ledger said what a configuration wants.
// It replays the log where the policy or exceptions would be others; nothing is
// decided. What else the configuration changes the caller knows.
func (d *Desk) Preview(ctx context.Context, want judge.Settings) (Preview, error) {
	p := Preview{Version: want.Version, Differences: []Difference{}, Parts: []string{},
		Listed: []Listing{}, Delisted: []Listing{}, Changed: []Listing{}}
	ledger := d.Store.Decisions(0, d.Store.Mark().Decision)
	if last, known := judge.LastConfig(ledger); known {
		p.Before, p.Parts = last.Name, judge.PartsChanged(last.Parts, want.Parts)
	}
	missing := judge.Settle(ledger, want, "preview")
	p.Decisions, p.Differences = len(missing), differencesIn(ledger, missing)
	if !changesList(missing) {
		return p, nil
	}
	if !d.simulating.TryLock() {
		return p, refused("a simulation is under way", "ask again when it is done")
	}
	defer d.simulating.Unlock()
	is, would, err := d.Judge.Suppose(ctx, missing...)
	if p.Reading = errors.Is(err, judge.ErrNotReady); p.Reading {
		return p, nil
	}
	p.compare(is.Listings, would.Listings)
	return p, err
}

// differencesIn tells of the configuration what decisions that are missing in a ledger say.
func differencesIn(ledger, missing []criteria.Decision) []Difference {
	all := []Difference{}
	in := map[netip.Prefix]string{}
	var policy *criteria.Policy
	for _, d := range ledger {
		switch {
		case d.Act == criteria.ActPolicy:
			policy = d.Policy
		case d.Origin == criteria.FromConfig:
			in[d.Network] = d.Reason
		}
	}
	for _, d := range missing {
		switch {
		case d.Act == criteria.ActPolicy:
			for _, c := range keysChanged(policy, d.Policy) {
				all = append(all, Difference{Key: policyKey(c.Key), Change: "changed", From: c.From, To: c.To})
			}
		case d.Origin != criteria.FromConfig:
		case d.Act == criteria.ActUnexcept:
			all = append(all, Difference{Key: "except", Of: d.Network.String(), Change: "removed",
				From: "reason " + in[d.Network]})
		default:
			all = append(all, Difference{Key: "except", Of: d.Network.String(), Change: "added",
				To: "reason " + d.Reason})
		}
	}
	return all
}

// policyKey is a key of the policy as the configuration has it.
func policyKey(key string) string {
	if key == criteria.CapKey {
		return key
	}
	return "criteria." + key
}

// changesList tells whether any of the decisions is about more than the configuration's version.
func changesList(all []criteria.Decision) bool {
	for _, d := range all {
		if d.Act != criteria.ActConfig && d.Act != criteria.ActTrust {
			return true
		}
	}
	return false
}

func (p *Preview) compare(is, would []criteria.Listing) {
	before, after := bySource(is), bySource(would)
	for _, c := range changes(is, would) {
		switch criteria.Unlisted {
		case c.From:
			l := after[c.Source]
			l.Since = 0
			p.Listed = append(p.Listed, l)
		case c.To:
			p.Delisted = append(p.Delisted, before[c.Source])
		default:
			p.Changed = append(p.Changed, after[c.Source])
		}
	}
}

func bySource(all []criteria.Listing) map[criteria.Source]Listing {
	found := make(map[criteria.Source]Listing, len(all))
	for _, l := range ListingsOf(all) {
		found[l.Source] = l
	}
	return found
}

// routeReload serves the order to read the configuration anew, and the question what
// that would change.
func routeReload(mux *http.ServeMux, o Orders) {
	mux.HandleFunc("POST /v1/reload", answer(func(r *http.Request) (any, error) {
		return o.Reload(r.Context(), whoIn(r.Context()))
	}))
	mux.HandleFunc("POST /v1/reload/preview", answer(func(r *http.Request) (any, error) {
		text, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
		if err != nil {
			return nil, err
		}
		return o.Preview(r.Context(), r.URL.Query().Get("name"), text)
	}))
}

// Reload has the configuration read anew.
func (c *Client) Reload(ctx context.Context) (done Settled, err error) {
	return done, c.ask(ctx, "POST", "reload", nil, nil, &done)
}

// Preview asks what a reload would change if the daemon's configuration had this
// text; name is the file's, for faults and for what it refers to.
func (c *Client) Preview(ctx context.Context, name string, text []byte) (p Preview, err error) {
	return p, c.ask(ctx, "POST", "reload/preview", url.Values{"name": {name}}, bytes.NewReader(text), &p)
}
