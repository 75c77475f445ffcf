package judge

import (
	"net/netip"

	"github.com/trapline/trapline/criteria"
)

// Lookup answers for an address at the engine's present second, or ErrNotReady.
func (j *Judge) Lookup(a netip.Addr) (entry criteria.Entry, err error) {
	err = j.View(func(e *criteria.Engine) { entry = e.Lookup(a) })
	return entry, err
}
