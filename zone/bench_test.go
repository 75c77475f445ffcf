package zone

import (
	"fmt"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/testpeer"
)

// million is a list of that many units, a tenth of them IPv6.
func million() []criteria.Listing {
	const all, six = 1_000_000, 100_000
	list := make([]criteria.Listing, 0, all)
	for i := range uint32(all - six) {
		k := 0x14000000 + i*64 // spread, as addresses are
		a := netip.AddrFrom4([4]byte{byte(k >> 24), byte(k >> 16), byte(k >> 8), byte(k)})
		list = append(list, criteria.Listing{Source: netip.PrefixFrom(a, 32), Answer: criteria.Spam,
			Since: noon - 3600, Until: criteria.Never})
	}
	for i := range uint32(six) {
		a := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 16), byte(i >> 8), byte(i)})
		list = append(list, criteria.Listing{Source: netip.PrefixFrom(a, 64), Answer: criteria.Spam,
			Since: noon - 3600, Until: criteria.Never})
	}
	return list
}

func BenchmarkMillion(b *testing.B) {
	list := million()
	now := criteria.At(time.Now())
	zone := Render(header(), list, 77, now)
	b.Run("resolve", func(b *testing.B) {
		for b.Loop() {
			Resolve(list, except("203.0.113.0/24"), special, noon)
		}
	})
	b.Run("guard", func(b *testing.B) {
		turn := Turn{Published: list, Wanted: list[1000:], At: noon, Explained: never}
		for b.Loop() {
			Guard{Floor: 100}.Pass(turn)
		}
	})
	b.Run("render", func(b *testing.B) {
		b.SetBytes(int64(len(zone)))
		for b.Loop() {
			Render(header(), list, 77, now)
		}
	})
	b.Run("render all", func(b *testing.B) {
		for b.Loop() {
			renderAll(header(), list, 77, now)
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(zone)))
		for b.Loop() {
			if _, err := Parse(zone); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("rbldnsd loads", func(b *testing.B) { benchmarkLoad(b, zone) })
}

// benchmarkLoad measures rbldnsd reading the file and refusing to go on for want of a second zone:
// without the dump, which would take longer than the load.
func benchmarkLoad(b *testing.B, zone []byte) {
	path, args := daemon(b)
	dir := openFolder(b, zone)
	args = append(args, "-w", dir, "-n", "-b", fmt.Sprintf("127.0.0.1/%d", testpeer.Port(b)),
		"bl.example:combined:bl.example", "other.example:combined:missing")
	for b.Loop() {
		_ = exec.Command(path, args...).Run()
	}
}
