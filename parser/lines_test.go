package parser

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// caseLine is a line of received.jsonl: a Received value and what must come out of it.
type caseLine struct {
	Name     string
	Received []string
	Expect   struct {
		IP   string
		Helo string
		RDNS string
		By   *string
		Auth *bool
	}
	Decoys []string `json:"decoy_ips"`
}

// readLines reads a file of JSON lines.
func readLines[T any](t testing.TB, path string) []T {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // only read
	var rows []T
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var row T
		if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		rows = append(rows, row)
	}
	if err := scanner.Err(); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return rows
}

// latin1 gives the bytes of a value in the corpus, where one character is one byte.
func latin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

// readValue reads one Received value as the walk does.
func readValue(value []byte) (reading, bool) {
	var l line
	if !l.lex(unfold(value)) {
		return reading{}, false
	}
	return l.read()
}

func TestLines(t *testing.T) {
	for _, c := range readLines[caseLine](t, "../testdata/received.jsonl") {
		t.Run(c.Name, func(t *testing.T) {
			r, ok := readValue(latin1(c.Received[0]))
			got := ""
			if ok && r.client.ip.IsValid() {
				got = r.client.ip.String()
			}
			want := ""
			if c.Expect.IP != "" {
				want = netip.MustParseAddr(c.Expect.IP).String()
			}
			if got != want {
				t.Errorf("peer = %q, want %q", got, want)
			}
			for _, decoy := range c.Decoys {
				if got == decoy {
					t.Errorf("the decoy %s was believed", decoy)
				}
			}
			if !ok {
				return
			}
			if c.Expect.By != nil && !strings.EqualFold(r.clauses.by, *c.Expect.By) {
				t.Errorf("by = %q, want %q", r.clauses.by, *c.Expect.By)
			}
			if c.Expect.Helo != "" && r.client.helo != c.Expect.Helo {
				t.Errorf("helo = %q, want %q", r.client.helo, c.Expect.Helo)
			}
			if r.client.rdns != c.Expect.RDNS {
				t.Errorf("rdns = %q, want %q", r.client.rdns, c.Expect.RDNS)
			}
			if a := c.Expect.Auth; a != nil && !*a && r.client.origin == network && r.account() != "" {
				t.Error("authenticated, want not")
			}
		})
	}
}
