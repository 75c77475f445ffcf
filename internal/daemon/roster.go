package daemon

import (
	"net/netip"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/trap"
)

// RosterOf gives what a configuration says of traps, for questions without a
// daemon.
func RosterOf(c *config.Config) (admin.Roster, error) {
	directory, err := trap.NewDirectory(rulesOf(c))
	return rosterOf(c, directory), err
}

func (s *settings) roster() admin.Roster { return rosterOf(s.config, s.directory) }

func rosterOf(c *config.Config, directory *trap.Directory) admin.Roster {
	r := admin.Roster{Find: func(address string) (spelled, name string) {
		to := directory.Match(address, netip.Addr{}, time.Time{}) // resting or not, it is covered
		if to.Rule == nil || to.Rule.Class != trap.Trap {
			return to.Address, ""
		}
		return to.Address, to.Rule.Address + to.Rule.Domain
	}}
	for _, t := range c.Traps {
		one := admin.Trap{Address: t.Address, Domain: t.Domain, Configured: true, Kind: string(t.Kind),
			Weight: t.Weight, State: string(t.State)}
		if !t.ActiveFrom.IsZero() {
			one.ActiveFrom = criteria.At(t.ActiveFrom)
		}
		r.Traps = append(r.Traps, one)
	}
	return r
}
