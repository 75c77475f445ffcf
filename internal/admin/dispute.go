package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/judge"
)

// DisputeAct is what the operator does about a dispute.
type DisputeAct string

// The acts.
const (
	AnswerDispute DisputeAct = "answer" // say something, and decide later
	AcceptDispute DisputeAct = "accept"
	RejectDispute DisputeAct = "reject"
)

// DisputeOrder is what the operator decides about a dispute. Everybody can read the
// reason.
type DisputeOrder struct {
	Act    DisputeAct     `json:"act"`
	ID     string         `json:"id"`
	Reason string         `json:"reason"`
	Remedy dispute.Remedy `json:"remedy"` // of accept
}

// DisputeDone is a dispute about which something was decided, and what that changed.
type DisputeDone struct {
	dispute.Case
	Who     string    `json:"who"`
	Changes []Change  `json:"changes"` // listings that began, ended or changed their answer
	Left    []Listing `json:"left"`    // that still share addresses with the subject
}

// Check tells what is wrong with an order by itself.
func (o DisputeOrder) Check() error {
	switch o.Act {
	case AnswerDispute, AcceptDispute, RejectDispute:
	default:
		return badRequest(fmt.Sprintf("%q is no order about a dispute", o.Act),
			"give answer, accept or reject")
	}
	r := o.Remedy
	switch {
	case r.UncountAll && len(r.Uncount) > 0:
		return badRequest("hits are named, and all are to be un-counted", "give one of the two")
	case r.For != 0 && !r.Except:
		return badRequest("a duration is given, and no exception", "say that it is for the exception")
	}
	if err := checkFor(r.For); err != nil {
		return err
	}
	return checkReason(o.Reason)
}

// DisputeFilter chooses disputes; zero fields choose those that have not ended.
type DisputeFilter struct {
	Open bool // only those that wait for a decision
	All  bool // those that have ended, too
}

// Cases gives the chosen disputes: those first that have waited longest with the better
// proof.
func (d *Desk) Cases(f DisputeFilter) ([]dispute.Case, error) {
	chosen := []dispute.Case{}
	for _, k := range d.Disputes.Cases() {
		if f.All || k.State == dispute.Open || k.State == dispute.Filed && !f.Open {
			chosen = append(chosen, k)
		}
	}
	return chosen, nil
}

// Case gives one dispute.
func (d *Desk) Case(id string) (dispute.Case, error) {
	k, ok := d.Disputes.Find(id)
	if !ok {
		return k, none(fmt.Sprintf("there is no dispute %q", id), "see trapline dispute list --all")
	}
	return k, nil
}

// SettleDispute carries out an order about a dispute, as Decide does: the answer comes
// when the list has followed.
func (d *Desk) SettleDispute(ctx context.Context, who string, o DisputeOrder) (DisputeDone, error) {
	done := DisputeDone{Who: who, Changes: []Change{}, Left: []Listing{}}
	if err := o.Check(); err != nil {
		return done, err
	}
	d.deciding.Lock()
	defer d.deciding.Unlock()
	before, err := d.Judge.Listings()
	if err != nil {
		return done, err
	}
	if done.Case, err = d.settleDispute(ctx, who, o, before); err != nil {
		return done, disputeProblem(err)
	}
	after, err := d.Judge.Listings()
	if err != nil {
		return done, err
	}
	subject := done.Subject.Prefix
	done.Left = ListingsOf(overlapping(after.Listings, subject))
	done.Changes = changes(overlapping(before.Listings, subject), overlapping(after.Listings, subject))
	return done, nil
}

func (d *Desk) settleDispute(ctx context.Context, who string, o DisputeOrder, list judge.List) (
	dispute.Case, error,
) {
	switch o.Act {
	case AnswerDispute:
		return d.Disputes.Answer(ctx, who, o.ID, o.Reason)
	case RejectDispute:
		return d.Disputes.Reject(ctx, who, o.ID, o.Reason)
	}
	if k, ok := d.Disputes.Find(o.ID); ok {
		if err := d.mayDelist(k.Subject.Prefix, list); err != nil {
			return k, err
		}
	}
	k, _, err := d.Disputes.Accept(ctx, who, o.ID, o.Reason, o.Remedy)
	return k, err
}

// mayDelist says why the list would not heed a removal.
func (d *Desk) mayDelist(subject netip.Prefix, list judge.List) error {
	var refusal error
	err := d.Judge.View(func(e *criteria.Engine) {
		refusal = e.Refuses(criteria.Decision{Act: criteria.ActDelist, Network: subject})
	})
	if err == nil && refusal != nil {
		err = refused(refusal.Error(), mendFor(subject, list.Exceptions))
	}
	return err
}

// disputeProblem says a refusal in the words of the command line.
func disputeProblem(err error) error {
	var r *dispute.RefusedError
	if !errors.As(err, &r) {
		return err
	}
	switch r.Why {
	case dispute.Unknown, dispute.Over:
		return none(r.Message, r.Hint)
	}
	return refused(r.Message, r.Hint)
}

// routeDisputes serves questions and orders about disputes.
func routeDisputes(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("GET /v1/disputes", stream(func(r *http.Request) (iter.Seq2[dispute.Case, error], error) {
		q := r.URL.Query()
		cases, err := d.Cases(DisputeFilter{Open: q.Get("open") == "true", All: q.Get("all") == "true"})
		return each(cases), err
	}))
	mux.HandleFunc("GET /v1/dispute", answer(func(r *http.Request) (any, error) {
		return d.Case(r.FormValue("id"))
	}))
	mux.HandleFunc("POST /v1/dispute", answer(ordered(d.SettleDispute)))
}

// Cases asks for disputes.
func (c *Client) Cases(f DisputeFilter) ([]dispute.Case, error) {
	q := url.Values{"open": {fmt.Sprint(f.Open)}, "all": {fmt.Sprint(f.All)}}
	return gathered(lines[dispute.Case](c, "disputes", q))
}

// Case asks for one dispute.
func (c *Client) Case(id string) (k dispute.Case, err error) {
	return k, c.ask(context.Background(), "GET", "dispute", url.Values{"id": {id}}, nil, &k)
}

// SettleDispute has an order about a dispute carried out.
func (c *Client) SettleDispute(ctx context.Context, o DisputeOrder) (done DisputeDone, err error) {
	return done, c.order(ctx, "dispute", o, &done)
}
