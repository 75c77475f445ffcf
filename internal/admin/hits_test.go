package admin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Hits come in either order and of a span, over the socket as from the desk.
func TestHitsOfASpan(t *testing.T) {
	o := newOffice(t)
	for n := range 5 {
		o.append(spammed(fmt.Sprintf("198.51.100.%d", n), "heron@traps.example", o.now()))
		o.seconds.Add(600)
	}
	late := spammed("198.51.100.9", "heron@traps.example", began.Add(10*time.Minute)) // from a file
	late.Ingested = true
	o.append(late)
	minute := func(m int) criteria.Second { return criteria.At(began.Add(time.Duration(m) * time.Minute)) }
	door := o.door()
	for _, c := range []struct {
		name string
		f    HitFilter
		want string
	}{
		{"all, the newest first", HitFilter{}, "9 4 3 2 1 0"},
		{"all, the oldest first", HitFilter{OldestFirst: true}, "0 1 2 3 4 9"},
		{"a span", HitFilter{OldestFirst: true, Since: minute(10), Until: minute(30)}, "1 2 9"},
		{"a span, the newest first", HitFilter{Since: minute(10), Until: minute(30)}, "9 2 1"},
		{"from then on", HitFilter{OldestFirst: true, Since: minute(30)}, "3 4"},
		{"up to then", HitFilter{OldestFirst: true, Until: minute(1)}, "0"},
		{"some", HitFilter{OldestFirst: true, Limit: 2}, "0 1"},
		{"none", HitFilter{OldestFirst: true, Since: minute(600)}, ""},
	} {
		for where, hits := range map[string]func(HitFilter) ([]Hit, error){
			"socket": func(f HitFilter) ([]Hit, error) { return gathered(door.Hits(f)) },
			"desk":   func(f HitFilter) ([]Hit, error) { return gathered(o.Hits(f)) },
		} {
			found, err := hits(c.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range found {
				got = append(got, strings.TrimPrefix(h.Source.String(), "198.51.100."))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s, %s: %v, want %s", where, c.name, got, c.want)
			}
		}
	}
}
