package parser

import "testing"

// TestServers reads each shape that a family of mail servers is known to write. A shape that shows
// no peer must show none, though addresses stand in it.
func TestServers(t *testing.T) {
	families := map[string]int{}
	for _, shape := range readLines[struct{ Family, Want, Line string }](t, "testdata/servers.jsonl") {
		families[shape.Family]++
		r, ok := readValue([]byte(shape.Line + dateClause))
		got := describe(r, ok)
		if got == "" {
			got = "unreadable"
		}
		if got != shape.Want {
			t.Errorf("%s: %s, want %s: %s", shape.Family, got, shape.Want, shape.Line)
		}
	}
	if len(families) < 80 {
		t.Errorf("%d families, want 80 at least", len(families))
	}
}
