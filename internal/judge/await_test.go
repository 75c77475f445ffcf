package judge

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/trapline/trapline/criteria"
)

// TestAwait: whoever awaits a decision finds it applied, and is never left waiting.
func TestAwait(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer func() { _ = c.store.Close() }()
		const next = 2
		awaited := make(chan error)
		go func() { awaited <- c.judge.Await(t.Context(), next) }()
		synctest.Wait()
		select {
		case err := <-awaited:
			t.Fatalf("nothing was decided, and the wait is over: %v", err)
		default:
		}
		c.decide(criteria.Decision{Act: criteria.ActList, Who: "test",
			Network: netip.MustParsePrefix("198.51.100.7/32")})
		if err := <-awaited; err != nil {
			t.Error(err)
		}
		if e := c.lookup("198.51.100.7"); e.Answer != criteria.Operator {
			t.Errorf("applied, but %s", e.Why)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.judge.Await(gone, next+1); !errors.Is(err, context.Canceled) {
			t.Errorf("who waits no longer hears %v", err)
		}
		go func() { awaited <- c.judge.Await(t.Context(), next+1) }()
		synctest.Wait()
		c.rest()
		if err := <-awaited; !errors.Is(err, ErrEnded) {
			t.Errorf("once the judge has ended: %v", err)
		}
		if err := c.judge.Await(t.Context(), next); err != nil {
			t.Errorf("what is applied stays so: %v", err)
		}
	})
}
