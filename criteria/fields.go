package criteria

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one key of a policy: its name and its two spellings.
type field struct {
	key  string
	text func(*Policy) string                // as the configuration spells it
	json func(*Policy) any                   // as JSON spells it: durations in seconds
	set  func(p *Policy, value string) error // nil for a table
}

// CapKey is the one key that the configuration has outside its [criteria].
const CapKey = "reputation.cap"

// fields is every key, in the order of the documentation. Configuration,
// command line, JSON and comparison all read this one list.
var fields = []field{
	micro("fresh_weight", func(p *Policy) *Micro { return &p.FreshWeight }),
	span("fresh_window", func(p *Policy) *time.Duration { return &p.FreshWindow }),
	span("max_age", func(p *Policy) *time.Duration { return &p.MaxAge }),
	micro("trap_factor", func(p *Policy) *Micro { return &p.TrapFactor }),
	micro("trap_square_at", func(p *Policy) *Micro { return &p.TrapSquareAt }),
	micro("report_factor", func(p *Policy) *Micro { return &p.ReportFactor }),
	micro("threshold", func(p *Policy) *Micro { return &p.Threshold }),
	micro("reputation_ratio", func(p *Policy) *Micro { return &p.ReputationRatio }),
	count("min_reports", func(p *Policy) *int { return &p.MinReports }),
	count("min_traps", func(p *Policy) *int { return &p.MinTraps }),
	count("min_trap_domains", func(p *Policy) *int { return &p.MinTrapDomains }),
	count("max_hits_per_trap", func(p *Policy) *int { return &p.MaxHitsPerTrap }),
	count("max_reports_per_reporter", func(p *Policy) *int { return &p.MaxReportsPerReporter }),
	count("max_counted", func(p *Policy) *int { return &p.MaxCounted }),
	span("repeat_window", func(p *Policy) *time.Duration { return &p.RepeatWindow }),
	span("delist_after", func(p *Policy) *time.Duration { return &p.DelistAfter }),
	span("delist_after_few", func(p *Policy) *time.Duration { return &p.DelistAfterFew }),
	count("ipv6_prefix", func(p *Policy) *int { return &p.IPv6Prefix }),
	{key: "cause_weight", text: causeWeightText, json: causeWeightJSON},
	count("network.min_listed", func(p *Policy) *int { return &p.MinListed }),
	count(CapKey, func(p *Policy) *int { return &p.ReputationCap }),
}

func fieldOf(key string) (field, error) {
	for _, f := range fields {
		if f.key == key {
			return f, nil
		}
	}
	return field{}, fmt.Errorf("%s: no such key; the keys are %s", key, strings.Join(Keys(), ", "))
}

func micro(key string, at func(*Policy) *Micro) field {
	return field{key,
		func(p *Policy) string { return at(p).String() },
		func(p *Policy) any { return *at(p) },
		func(p *Policy, value string) (err error) { *at(p), err = ParseMicro(value); return err },
	}
}

func count(key string, at func(*Policy) *int) field {
	return field{key,
		func(p *Policy) string { return strconv.Itoa(*at(p)) },
		func(p *Policy) any { return *at(p) },
		func(p *Policy, value string) error {
			n, err := strconv.Atoi(strings.ReplaceAll(value, "_", ""))
			if err != nil {
				return fmt.Errorf("%q is not a whole number", value)
			}
			*at(p) = n
			return nil
		},
	}
}

func span(key string, at func(*Policy) *time.Duration) field {
	return field{key,
		func(p *Policy) string { return spanText(*at(p)) },
		func(p *Policy) any { return int64(*at(p) / time.Second) },
		func(p *Policy, value string) error {
			d, err := time.ParseDuration(value)
			if err != nil || d%time.Second != 0 {
				return fmt.Errorf("%q is not a duration in whole seconds, as 36h or 90m", value)
			}
			*at(p) = d
			return nil
		},
	}
}

// spanText spells a duration as people write it: 48h, 90m, 1h0m5s.
func spanText(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return d.String()
}

func causeWeightText(p *Policy) string {
	parts := make([]string, 0, len(p.CauseWeight))
	for _, c := range p.weighted() {
		if w := p.CauseWeight[c]; w != One {
			parts = append(parts, fmt.Sprintf("%s = %s", c, w))
		}
	}
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func causeWeightJSON(p *Policy) any {
	weights := map[string]Micro{}
	for _, c := range p.weighted() {
		weights[c.String()] = p.CauseWeight[c]
	}
	return weights
}

// MarshalJSON writes every key; durations are whole seconds.
func (p Policy) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, f := range fields {
		value, err := json.Marshal(f.json(&p))
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", f.key, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, f.key), ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, over the default policy.
func (p *Policy) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	q := DefaultPolicy()
	for key, value := range raw {
		if err := q.setJSON(key, value); err != nil {
			return err
		}
	}
	*p = q
	return nil
}

func (p *Policy) setJSON(key string, value json.RawMessage) error {
	if key != "cause_weight" {
		if strings.HasSuffix(spelling(key), "h") {
			return p.Set(key, string(value)+"s")
		}
		return p.Set(key, string(value))
	}
	var weights map[string]json.RawMessage
	if err := json.Unmarshal(value, &weights); err != nil {
		return err
	}
	for cause, weight := range weights {
		if err := p.Set(key+"."+cause, string(weight)); err != nil {
			return err
		}
	}
	return nil
}

// spelling is the default value of a key as text: durations end in h.
func spelling(key string) string {
	text, err := DefaultPolicy().Get(key)
	if err != nil {
		return ""
	}
	return text
}
