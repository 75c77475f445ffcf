package criteria

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckSaysEverythingThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   []string // key, value, …
		wrong []string // keys
	}{
		{"the defaults", nil, nil},
		{"scores that rise with age", []string{"fresh_weight", "0.999999"}, []string{"fresh_weight"}},
		{"a factor above the square", []string{"trap_factor", "6.000001"}, []string{"trap_factor"}},
		{"a factor at the square", []string{"trap_factor", "6"}, nil},
		{"negative factors", []string{"report_factor", "-1", "threshold", "-1"}, []string{"report_factor", "threshold"}},
		{"no time", []string{"fresh_window", "0s", "max_age", "0s"}, []string{"fresh_window", "max_age"}},
		{"no repeats", []string{"repeat_window", "0s"}, nil},
		{"few outlast many", []string{"delist_after_few", "25h"}, []string{"delist_after_few"}},
		{"longer than a year", []string{"max_age", "9000h"}, []string{"max_age"}},
		{"ipv6 too wide", []string{"ipv6_prefix", "47"}, []string{"ipv6_prefix"}},
		{"ipv6 too narrow", []string{"ipv6_prefix", "129"}, []string{"ipv6_prefix"}},
		{"no report needed", []string{"min_reports", "0"}, []string{"min_reports"}},
		{"more needed than count", []string{"max_counted", "1"}, []string{"min_reports"}},
		{"nothing could be listed", []string{"threshold", "1000000", "max_counted", "2"}, []string{"threshold"}},
		{"negative cause", []string{"cause_weight.bounce", "-0.1"}, []string{"cause_weight.bounce"}},
		{"no backscatter at all", []string{"cause_weight.bounce", "0", "cause_weight.autoreply", "0"}, nil},
		{"several at once", []string{"max_hits_per_trap", "0", "ipv6_prefix", "0", "trap_factor", "2000000"},
			[]string{"trap_factor", "max_hits_per_trap", "ipv6_prefix"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := DefaultPolicy()
			for i := 0; i < len(c.set); i += 2 {
				if err := p.Set(c.set[i], c.set[i+1]); err != nil {
					t.Fatal(err)
				}
			}
			var wrong []string
			for _, f := range p.Check() {
				if f.Problem == "" || f.Mend == "" {
					t.Errorf("%s: says neither what is wrong nor the mend", f.Key)
				}
				if !slices.Contains(wrong, f.Key) {
					wrong = append(wrong, f.Key)
				}
			}
			if diff := cmp.Diff(c.wrong, wrong); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSetReadsOnlyItsOwnForm(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"threshold", "30", "30"},
		{"threshold", "0.000001", "0.000001"},
		{"threshold", "0.0000001", ""},
		{"threshold", "1e3", ""},
		{"max_age", "36h", "36h"},
		{"max_age", "90m", "90m"},
		{"max_age", "1.5s", ""},
		{"max_age", "36", ""},
		{"min_reports", "3", "3"},
		{"min_reports", "3.0", ""},
		{"cause_weight", "1", ""},
		{"cause_weight.bounce", "0.5", "0.5"},
		{"cause_weight.nonsense", "0.5", ""},
		{"thresold", "30", ""},
	} {
		p := DefaultPolicy()
		err := p.Set(c.key, c.value)
		if (err == nil) != (c.want != "") {
			t.Errorf("%s = %s: %v", c.key, c.value, err)
			continue
		}
		if err != nil {
			if key, _, _ := strings.Cut(c.key, "."); !strings.Contains(err.Error(), key) {
				t.Errorf("%s = %s: the error does not name the key: %v", c.key, c.value, err)
			}
			continue
		}
		key, _, _ := strings.Cut(c.key, ".")
		if got, err := p.Get(key); err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s = %s reads %q, %v", c.key, c.value, got, err)
		}
	}
}

// The ledger keeps policies as JSON: one that came back as another would make
// every start a change of policy.
func TestPolicyThroughJSON(t *testing.T) {
	odd := DefaultPolicy()
	values := map[string]string{"fresh_weight": "3.5", "fresh_window": "7h", "max_age": "100h0m1s",
		"trap_factor": "4.25", "trap_square_at": "5.000001", "report_factor": "0", "threshold": "12.5",
		"reputation_ratio": "0", "min_reports": "3", "min_traps": "0", "min_trap_domains": "0",
		"max_hits_per_trap": "9", "max_reports_per_reporter": "8", "max_counted": "77", "repeat_window": "0h",
		"delist_after": "30h", "delist_after_few": "1m", "ipv6_prefix": "56",
		"network.min_listed": "7", CapKey: "500"}
	for _, key := range Keys() {
		if key == "cause_weight" {
			continue
		}
		if values[key] == "" {
			t.Fatalf("no odd value for %s", key)
		}
		if err := odd.Set(key, values[key]); err != nil {
			t.Fatal(err)
		}
		if was, _ := DefaultPolicy().Get(key); was == values[key] {
			t.Errorf("%s: %s is the default", key, was)
		}
	}
	weighted := odd
	for _, set := range [][2]string{{"cause_weight.bounce", "0.25"}, {"cause_weight.list", "1"}} {
		if err := weighted.Set(set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	if odd.CauseWeight != nil {
		t.Error("a copy's cause weight changed the original")
	}
	for name, p := range map[string]Policy{"default": DefaultPolicy(), "odd": odd, "weighted": weighted} {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Policy
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !back.Equal(p) || !p.Equal(back) {
			t.Errorf("%s: %s comes back as another policy", name, b)
		}
		if again, _ := json.Marshal(back); string(again) != string(b) {
			t.Errorf("%s: %s, again %s", name, b, again)
		}
	}
	if odd.Equal(weighted) || odd.Equal(DefaultPolicy()) {
		t.Error("different policies are equal")
	}
	for _, bad := range []string{`{"treshold":1}`, `{"threshold":"25"}`, `{"max_age":1.5}`, `[]`, `{"threshold":1e99}`} {
		if err := json.Unmarshal([]byte(bad), new(Policy)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestParseMicro(t *testing.T) {
	for _, c := range []struct {
		text string
		want Micro
		bad  bool
	}{
		{"4", 4 * One, false}, {"0.25", 250_000, false}, {"-1.5", -1_500_000, false}, {"+2", 2 * One, false},
		{"1_000.0", 1000 * One, false}, {"0.000001", 1, false}, {"007", 7 * One, false},
		{"9000000000000", 9_000_000_000_000 * One, false}, {"-0", 0, false},
		{"", 0, true}, {".", 0, true}, {".5", 0, true}, {"5.", 0, true}, {"1.0000001", 0, true}, {"1e3", 0, true},
		{"0x10", 0, true}, {"NaN", 0, true}, {"Inf", 0, true}, {"1.2.3", 0, true}, {" 1", 0, true}, {"٣", 0, true},
		{"9300000000000", 0, true}, {"99999999999999999999", 0, true},
	} {
		got, err := ParseMicro(c.text)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseMicro(%q) = %d, %v", c.text, got, err)
		}
		if err == nil {
			if again, err := ParseMicro(got.String()); err != nil || again != got {
				t.Errorf("%q prints as %q, which reads %d, %v", c.text, got, again, err)
			}
		}
	}
}

func FuzzParseMicro(f *testing.F) {
	for _, s := range []string{"4", "-0.25", "1_0", "1e3", "9223372036854.775807", "-9223372036854.775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMicro(s)
		if err != nil {
			return
		}
		if again, err := ParseMicro(m.String()); err != nil || again != m {
			t.Errorf("%q is %d, prints as %q, which reads %d, %v", s, m, m, again, err)
		}
	})
}

func FuzzParseHit(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-24T09:00:00Z","source":"198.51.100.7","kind":"trap","trap":"a@traps.example"}`))
	f.Add([]byte(`{"time":null,"source":"::1","weight":-1,"digest":"zz"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		h, err := ParseHit(line)
		if err != nil {
			return
		}
		p := DefaultPolicy()
		v := ScoreAll(p, []Hit{h, h}, h.Time, 0)
		if len(v) != 1 || v[0].Reports > 2 {
			t.Errorf("%s scores %+v", line, v)
		}
	})
}
