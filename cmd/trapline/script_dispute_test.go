package main

import (
	"context"
	"net/netip"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
)

// fileDispute is the command filed VARIABLE PEER ADDRESS [txt]: while the daemon is down, a form
// comes from a peer about an address, and with txt its token stands in the DNS. The variable gets
// the id.
func fileDispute(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: filed VARIABLE PEER ADDRESS [txt]")
	}
	path := ts.MkAbs("trapline.toml")
	c, err := config.Parse(path, []byte(ts.ReadFile("trapline.toml")))
	ts.Check(err)
	c.DataDir = ts.MkAbs(c.DataDir)
	s, err := store.Open(store.Config{Dir: c.DataDir})
	ts.Check(err)
	s.Begin()
	defer func() { ts.Check(s.Close()) }()
	j := judge.New(s, silent{})
	ts.Check(j.CatchUp(criteria.At(time.Now())))
	clerk := clerkOf(c, s, j)
	k, err := clerk.File(context.Background(), dispute.Form{Address: netip.MustParseAddr(args[2]),
		Peer: netip.MustParseAddr(args[1]), Claim: dispute.Technical,
		Statement: "That mail is not ours.\nSee the \x1b[31mlog.", Relation: "administrator",
		Contact: "hostmaster@victim.example"})
	ts.Check(err)
	if len(args) > 3 {
		_, err = clerk.Prove(context.Background(), k.ID, netip.Addr{})
		ts.Check(err)
	}
	ts.Setenv(args[0], k.ID)
}

// clerkOf keeps the disputes of a store whose daemon is down; every token that is looked for is there.
func clerkOf(c *config.Config, s *store.Store, j *judge.Judge) (clerk *dispute.Clerk) {
	clerk = dispute.Load(dispute.Config{Dir: c.DataDir + "/disputes", Secret: s.Secret(), Ledger: s,
		List: j, Now: time.Now, Observer: complaining{},
		TXT: func(_ context.Context, name string) (records []string, _ error) {
			for _, k := range clerk.Cases() {
				if h, ok := clerk.Challenge(k.ID); ok && h.Name == name {
					records = append(records, h.Text)
				}
			}
			return records, nil
		}})
	return clerk
}
