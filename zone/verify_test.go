package zone

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*site)
		want  []string // a part of each fault
	}{
		{"good", func(*site) {}, nil},
		{"good at the last second",
			func(s *site) { s.clock = s.clock.Add(48*time.Hour - 301*time.Second) }, nil},
		{"expired", func(s *site) { s.clock = s.clock.Add(48*time.Hour - 300*time.Second) },
			[]string{"expired at"}},
		{"from the future", func(s *site) { s.clock = s.clock.Add(-301 * time.Second) },
			[]string{"in the future"}},
		{"no folder", func(s *site) { s.lose(s.dir) },
			[]string{".txt: is missing", ".json: is missing", "bl.example: is missing",
				"SHA256SUMS: is missing"}},
		{"no sums", func(s *site) { s.move("SHA256SUMS", "x") }, []string{"SHA256SUMS: is missing"}},
		{"no zone", func(s *site) { s.move("bl.example", "x") },
			[]string{"bl.example: is missing", "sums"}},
		{"zone cut off", func(s *site) { s.edit("bl.example", "entries\n", "") },
			[]string{"sums", "cut off", "not the last line"}},
		{"zone empty", func(s *site) { s.edit("bl.example", s.read("bl.example"), "") },
			[]string{"sums", "missing", "missing", "missing", "missing", "missing", "at the end",
				"at the end",
				"at the end", "says that it is", ".txt: has other", ".json: is", ".json: has other"}},
		{"network missing in .txt", func(s *site) { s.edit("bl.example.txt", "9.0.0.1\n", "") },
			[]string{"sums", ".txt: has other networks"}},
		{"backscatter in .txt",
			func(s *site) { s.edit("bl.example.txt", "198.51", "192.0.2.99\n198.51") },
			[]string{"sums", ".txt: has other networks"}},
		{"another answer in .json", func(s *site) { s.edit("bl.example.json", "127.0.0.3", "127.0.0.2") },
			[]string{"sums", ".json: has other listings"}},
		{"exact time in .json", func(s *site) { s.edit("bl.example.json", "T11:00:00Z", "T11:00:01Z") },
			[]string{"sums", "not in the form"}},
		{"another serial in .json",
			func(s *site) { s.edit("bl.example.json", `"serial":`, `"serial":1`) },
			[]string{"sums", ".json: "}},
		{"an extra field in .json",
			func(s *site) { s.edit("bl.example.json", `"serial":`, `"x":1,"serial":`) },
			[]string{"sums", ".json: read list"}},
		{"not for everybody", func(s *site) { s.mode("bl.example", 0o640) },
			[]string{"bl.example: has mode 0640"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.publish(sample())
			c.spoil(s)
			faults, err := Verify(s.dir, "bl.example", criteria.At(s.clock))
			if err != nil {
				t.Fatal(err)
			}
			if len(faults) != len(c.want) {
				t.Fatalf("%d faults, want %d: %v", len(faults), len(c.want), faults)
			}
			for i, f := range faults {
				if !strings.Contains(f.Error(), c.want[i]) {
					t.Errorf("fault %d is %q, want %q in it", i, f.Error(), c.want[i])
				}
			}
		})
	}
}

func TestVerifyOfAnotherZone(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Header.Origin = "other.example" })
	if _, err := s.Publish(of(Snapshot{Listings: sample()})); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".txt", ".json"} {
		s.move("other.example"+name, "bl.example"+name)
	}
	faults, err := Verify(s.dir, "bl.example", noon)
	if err != nil || len(faults) != 3 { // sums, zone and .json name the other one
		t.Errorf("Verify = %v, %v", faults, err)
	}
}

func (s *site) move(from, to string) {
	s.Helper()
	if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
		s.Fatal(err)
	}
}

func (s *site) edit(name, old, new string) {
	s.Helper()
	data := strings.ReplaceAll(s.read(name), old, new)
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(data), 0o644); err != nil {
		s.Fatal(err)
	}
}

func (s *site) mode(name string, mode os.FileMode) {
	s.Helper()
	if err := os.Chmod(filepath.Join(s.dir, name), mode); err != nil {
		s.Fatal(err)
	}
}

// TestVerifyOfDOSForm: rbldnsd serves an empty zone from such a file without a word.
func TestVerifyOfDOSForm(t *testing.T) {
	s := newSite(t)
	s.publish(sample())
	lines := strings.Count(s.read("bl.example"), "\n")
	s.edit("bl.example", "\n", "\r\n")
	faults, err := Verify(s.dir, "bl.example", noon)
	if err != nil || len(faults) < lines {
		t.Errorf("Verify = %d faults of %d lines, %v", len(faults), lines, err)
	}
}
