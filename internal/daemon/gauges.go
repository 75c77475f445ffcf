package daemon

import (
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

// watch shows with the metrics how large the files and how full the budget are.
func (d *Daemon) watch(b *trap.Budget) {
	for kind, size := range map[string]func() store.Size{
		"hits": d.store.SizeOfHits, "ledger": d.store.SizeOfLedger,
	} {
		d.options.Events.Watch(
			ops.Gauge{Name: "store_bytes", Help: "Size of the files.", Of: kind,
				Value: func() float64 { return float64(size().Bytes) }},
			ops.Gauge{Name: "store_free_pages", Help: "Pages of the files that hold nothing.", Of: kind,
				Value: func() float64 { return float64(size().FreePages) }})
	}
	d.options.Events.Watch(
		ops.Gauge{Name: "connections", Help: "Connections that are open.",
			Value: func() float64 { return float64(b.Connections()) }},
		ops.Gauge{Name: "content_bytes", Help: "Bytes of messages held in memory, as limits.memory_bytes counts.",
			Value: func() float64 { return float64(b.Memory()) }},
		ops.Gauge{Name: "content_waiting", Help: "Messages that wait for memory, their senders held up.",
			Value: func() float64 { return float64(b.Waiting()) }})
}
