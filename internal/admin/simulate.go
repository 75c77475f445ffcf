package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Simulation asks what other policies would have made of the recorded hits.
type Simulation struct {
	Policies []criteria.Policy `json:"policies"` // each for itself
	From     criteria.Second   `json:"from"`
	To       criteria.Second   `json:"to"` // not in the span
}

// Simulated is one line of the answer: how far it is, or the comparison of the
// next policy.
type Simulated struct {
	Done       uint64               `json:"done,omitempty"` // records
	Total      uint64               `json:"total,omitempty"`
	Comparison *criteria.Comparison `json:"comparison,omitempty"`
}

// mostPolicies bounds a sweep: each policy is a replay.
const mostPolicies = 100

// Simulate replays the log beside the engine that answers; one at a time, since
// each takes as much memory as that engine. It ends when nobody listens.
func (d *Desk) Simulate(ctx context.Context, s Simulation) iter.Seq2[Simulated, error] {
	return func(yield func(Simulated, error) bool) {
		if err := s.check(); err != nil {
			yield(Simulated{}, err)
			return
		}
		if !d.simulating.TryLock() {
			yield(Simulated{}, refused("a simulation is under way", "ask again when it is done"))
			return
		}
		defer d.simulating.Unlock()
		a, ctx, cancel := listening(ctx, yield)
		defer cancel()
		found, err := d.Judge.Try(ctx, judge.Trial{Policies: s.Policies, From: s.From, To: s.To,
			Provider: d.Provider,
			Progress: func(done, total uint64) { a.tell(Simulated{Done: done, Total: total}, nil) }})
		for i := range found {
			a.tell(Simulated{Comparison: &found[i]}, nil)
		}
		if err != nil {
			a.tell(Simulated{}, simulationError(err))
		}
	}
}

func simulationError(err error) error {
	if errors.Is(err, judge.ErrNoSpan) {
		return badRequest(err.Error(), "give --from and --to within the time of the recorded hits")
	}
	if errors.Is(err, context.Canceled) {
		return refused("the simulation was cut off", "the daemon stops: ask again when it is up")
	}
	return err
}

func (s Simulation) check() error {
	if n := len(s.Policies); n == 0 || n > mostPolicies {
		return badRequest(fmt.Sprintf("%d policies on trial", n),
			fmt.Sprintf("give 1 to %d", mostPolicies))
	}
	for _, p := range s.Policies {
		for _, fault := range p.Check() {
			return badRequest(fmt.Sprintf("%s %s", fault.Key, fault.Problem), fault.Mend)
		}
	}
	return nil
}

// simulationIn reads the body of a request.
func simulationIn(r *http.Request) (s Simulation, err error) {
	if err = json.NewDecoder(io.LimitReader(r.Body, mostLine)).Decode(&s); err != nil {
		err = badRequest("the simulation is no JSON object: "+err.Error(), "give policies, from and to")
	}
	return s, err
}

// Simulate has the daemon replay its log. Each line comes as it is known.
func (c *Client) Simulate(ctx context.Context, s Simulation) iter.Seq2[Simulated, error] {
	return func(yield func(Simulated, error) bool) {
		body, err := json.Marshal(s)
		if err != nil {
			yield(Simulated{}, fmt.Errorf("encode the simulation: %w", err))
			return
		}
		reply, err := c.send(ctx, "POST", "simulate", nil, bytes.NewReader(body))
		if err != nil {
			yield(Simulated{}, err)
			return
		}
		defer reply.Body.Close()
		in := json.NewDecoder(reply.Body) // a comparison has no bound that a line could have
		for in.More() {
			var line struct {
				Simulated
				ProblemError
			}
			err := in.Decode(&line)
			if err == nil && line.Message != "" {
				err = &line.ProblemError
			}
			if !yield(line.Simulated, err) || err != nil {
				return
			}
		}
	}
}
