package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// TestGuardLetsOutHourByHour: of what comes at one moment the guard lets out so many an hour, by
// itself; and what an order puts in the list's place stands until it is taken back.
func TestGuardLetsOutHourByHour(t *testing.T) {
	const network, all, limit = "203.0.113.0/24", 12, 5
	s := newStand(t, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), "max_change = 0",
		fmt.Sprintf("max_change_floor = %d", limit))
	client := admin.NewClient(filepath.Join(s.dir, "admin.sock"))
	t.Cleanup(client.Close)
	decide := func(act criteria.Act, network string) {
		t.Helper()
		o := admin.Order{Act: act, Network: netip.MustParsePrefix(network), Reason: "a test"}
		if _, err := client.Decide(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
	await := func(entries, held int) {
		t.Helper()
		what := fmt.Sprintf("%d entries and %d held", entries, held)
		testpeer.Eventually(t, patience, what, func() bool {
			z, err := client.BuildZone(context.Background(), admin.BuildOrder{})
			return err == nil && z.Entries == entries && z.Held.Additions == held
		})
	}
	for i := range all {
		decide(criteria.ActList, fmt.Sprintf("203.0.113.%d/32", i))
	}
	decide(criteria.ActExcept, network)
	s.forward(2 * time.Hour) // so that nothing is left of an hour that began before
	await(0, 0)
	decide(criteria.ActUnexcept, network)
	await(limit, all-limit)
	s.forward(time.Hour - time.Second)
	await(limit, all-limit)
	s.forward(time.Second)
	await(2*limit, all-2*limit)
	s.forward(time.Hour)
	await(all, 0)
}
