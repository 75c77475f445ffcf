package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/feed"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// warnings says what a sound configuration still lacks, or gives away.
func (a *app) warnings(c *config.Config) []string {
	found := weightWarnings(c.Policy)
	s, known := safeguards(c)
	if !known {
		return found
	}
	points := pointsWarning(s, c.Policy.MaxAge, a.now())
	bare := bareProviders(c, s.Except)
	if points == "" || len(bare) == 0 {
		return found
	}
	return append(found, fmt.Sprintf("%s, and hardly any network of %s is excepted: a customer's spam could list "+
		"their servers: trapline reputation import a log of the mail that comes in, or trapline except "+
		"import a list of good senders", points, strings.Join(bare, ", ")))
}

// weightWarnings names causes that weigh less than others: a sender chooses the
// words that make a cause, and light hits take the places that the caps give.
func weightWarnings(p criteria.Policy) []string {
	found := []string{}
	for _, cause := range parser.Causes() {
		if w, ok := p.CauseWeight[cause]; ok && w < criteria.One {
			found = append(found, fmt.Sprintf("criteria.cause_weight.%s is %s: spam that is made to look "+
				"like it weighs less and can push other hits out: leave it at 1", cause, w))
		}
	}
	return found
}

// safeguards asks the daemon, or, when it is down, its ledger. A store that is
// not there yet holds nothing; of one that cannot be read nothing is known.
func safeguards(c *config.Config) (admin.Safeguards, bool) {
	client := admin.NewClient(c.Admin.Socket)
	defer client.Close()
	s, err := client.Safeguards()
	if !errors.Is(err, admin.ErrDown) {
		return s, err == nil
	}
	ledger, err := store.OpenReadOnly(c.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, true
	}
	if err != nil {
		return s, false
	}
	defer func() { _ = ledger.Close() }() // only read
	s, err = (&admin.Desk{Store: ledger}).Safeguards()
	return s, err == nil
}

// pointsWarning says that no points count; "" where some may.
func pointsWarning(s admin.Safeguards, maxAge time.Duration, now time.Time) string {
	var newest criteria.Second
	for _, p := range s.Points {
		newest = max(newest, p.At)
	}
	const ahead = 2 * 24 * time.Hour // a day that was not over, and a clock ahead
	switch {
	case newest == 0:
		return "no reputation points are imported"
	case newest.Time().Add(maxAge + ahead).Before(now):
		return fmt.Sprintf("the last reputation points were imported at %s and count no more", newest)
	}
	return ""
}

// excepted is the share of a provider's addresses from which on it counts as
// excepted. Lists of good senders name those that send mail, not all; a single
// server that was excepted says nothing about the others.
const excepted = 0.1

// bareProviders names the large mail providers of which little is excepted: by
// the configuration, which may not be in force yet, or by verb.
func bareProviders(c *config.Config, inForce []criteria.Exception) []string {
	var networks []netip.Prefix
	for _, x := range c.Except {
		networks = append(networks, x.Network)
	}
	for _, x := range inForce {
		if x.Origin != criteria.FromConfig {
			networks = append(networks, x.Network)
		}
	}
	providers := feed.NewProviders()
	return slices.DeleteFunc(providers.Names(), func(name string) bool {
		return providers.Share(name, networks) >= excepted
	})
}
