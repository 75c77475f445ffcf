package admin

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
)

// hears makes a clerk for an office; every token that is looked for stands in the DNS.
func (o *office) hears() {
	o.Disputes = dispute.Load(dispute.Config{Dir: o.TempDir(), Secret: []byte("secret"), Ledger: o.Store,
		List: o.Judge, Now: o.now, Observer: mute{},
		TXT: func(context.Context, string) (records []string, _ error) {
			for _, k := range o.Disputes.Cases() {
				if h, ok := o.Disputes.Challenge(k.ID); ok {
					records = append(records, h.Text)
				}
			}
			return records, nil
		}})
}

// mute hears what a clerk does and says nothing.
type mute struct{}

func (mute) DisputeStep(string, string, string, string) {}
func (mute) DisputeFailed(error)                        {}

// filed files a dispute from the address, with a TXT where a test wants it.
func (o *office) filed(address string, txt bool) string {
	o.Helper()
	a := netip.MustParseAddr(address)
	k, err := o.Disputes.File(o.Context(), dispute.Form{Address: a, Peer: a, Claim: dispute.Mail,
		Statement: "it was solicited", Relation: "owner", Contact: "a@b.example"})
	if err == nil && txt {
		k, err = o.Disputes.Prove(o.Context(), k.ID, a)
	}
	if err != nil {
		o.Fatal(err)
	}
	return k.ID
}

// TestSettleDisputes: over the socket as at the desk, the answer comes when the list has followed,
// and tells what changed.
func TestSettleDisputes(t *testing.T) {
	o := newOffice(t)
	o.hears()
	c := o.door()
	for _, source := range []string{"198.51.100.7", "198.51.100.8", "198.51.100.9"} {
		o.blame(source)
	}
	byTXT, byAddress, rejected := o.filed("198.51.100.7", true), o.filed("198.51.100.8", false),
		o.filed("198.51.100.9", true)
	settle := func(act DisputeAct, id string, r dispute.Remedy) DisputeDone {
		t.Helper()
		done, err := c.SettleDispute(t.Context(), DisputeOrder{Act: act, ID: id, Reason: "why", Remedy: r})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if done := settle(AnswerDispute, byTXT, dispute.Remedy{}); done.State != dispute.Open || done.Answer != "why" {
		t.Errorf("answered: %+v", done)
	}
	for id, r := range map[string]dispute.Remedy{byTXT: {}, byAddress: {UncountAll: true}} {
		done := settle(AcceptDispute, id, r)
		if len(done.Changes) != 1 || done.Changes[0].To != criteria.Unlisted || len(done.Left) > 0 ||
			done.State != dispute.Accepted || o.listed(done.Address.String()) != criteria.Unlisted {
			t.Errorf("accepted: %+v", done)
		}
	}
	if done := settle(RejectDispute, rejected, dispute.Remedy{}); len(done.Changes) > 0 || len(done.Left) != 1 {
		t.Errorf("rejected: %+v", done)
	}
	for f, want := range map[DisputeFilter]int{{}: 0, {Open: true}: 0, {All: true}: 3} {
		if cases, err := c.Cases(f); err != nil || len(cases) != want {
			t.Errorf("%+v: %d disputes, %v; want %d", f, len(cases), err, want)
		}
	}
	if k, err := c.Case(rejected); err != nil || k.Private == nil || k.Private.Contact != "a@b.example" {
		t.Errorf("shown: %+v, %v", k, err)
	}
	if _, err := c.Case("none"); !IsNone(err) {
		t.Errorf("no such dispute: %v", err)
	}
}

func TestDisputesThatCannotBeSettled(t *testing.T) {
	o := newOffice(t)
	o.hears()
	c := o.door()
	o.blame("198.51.100.7")
	o.blame("198.51.100.8")
	id, wider := o.filed("198.51.100.7", false), o.filed("198.51.100.8", true)
	o.must(criteria.ActList, "198.51.100.8/31", "both", 0)
	for _, tt := range []struct {
		name   string
		order  DisputeOrder
		status int
		says   string
	}{
		{"no act", DisputeOrder{ID: id, Reason: "x"}, http.StatusBadRequest, "no order about a dispute"},
		{"no reason", DisputeOrder{Act: RejectDispute, ID: id}, http.StatusBadRequest, "reason is empty"},
		{"all and some", DisputeOrder{Act: AcceptDispute, ID: id, Reason: "x",
			Remedy: dispute.Remedy{Uncount: []uint64{1}, UncountAll: true}}, http.StatusBadRequest, "give one of the two"},
		{"for what", DisputeOrder{Act: AcceptDispute, ID: id, Reason: "x",
			Remedy: dispute.Remedy{For: 60}}, http.StatusBadRequest, "exception"},
		{"for ever and longer", DisputeOrder{Act: AcceptDispute, ID: id, Reason: "x",
			Remedy: dispute.Remedy{Except: true, For: 1 << 40}}, http.StatusBadRequest, "ten years"},
		{"no such dispute", DisputeOrder{Act: RejectDispute, ID: "none", Reason: "x"}, http.StatusGone, "no dispute"},
		{"no such dispute to accept", DisputeOrder{Act: AcceptDispute, ID: "none", Reason: "x"}, http.StatusGone, "no dispute"},
		{"without a TXT", DisputeOrder{Act: AcceptDispute, ID: id, Reason: "x"}, http.StatusConflict, "TXT"},
		{"in a wider listing", DisputeOrder{Act: AcceptDispute, ID: wider, Reason: "x"}, http.StatusConflict,
			"listed by the operator as part of"},
	} {
		_, err := c.SettleDispute(t.Context(), tt.order)
		p := problemOf(err)
		if p.Status != tt.status || !strings.Contains(p.Error(), tt.says) {
			t.Errorf("%s: %d %v", tt.name, p.Status, err)
		}
	}
	if cases, err := c.Cases(DisputeFilter{Open: true}); err != nil || len(cases) != 2 {
		t.Errorf("%d are open, %v", len(cases), err)
	}
}
