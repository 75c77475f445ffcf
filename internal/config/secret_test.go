package config

import (
	"strings"
	"testing"
)

// TestSlippedAddresses: wherever an address slips to, no fault repeats it: faults of a reload
// stand in the log.
func TestSlippedAddresses(t *testing.T) {
	const secret = "submit.k3j9secret@reports.example"
	for _, line := range []string{
		`"` + secret + `" = "address"`,
		`hostname2 = "` + secret + `"`,
		"[[trap]]\ndomain = \"traps.example\"\nkind = \"" + secret + `"`,
		"[[trap]]\ndomain = \"" + secret + `"`,
		"[[trap]]\naddress = \"" + secret + "\"\n\"" + secret + `" = 1`,
		"[trust]\nhosts = [\"" + secret + `"]`,
		"[[reporter]]\nname = \"noc\"\naddress = \"x@y.example\"\npeers = [\"" + secret + `"]`,
		"[zone]\nns = [\"" + secret + `"]`,
		"[criteria]\nthreshold = \"" + secret + `"`,
		"[zone]\nttl = \"" + secret + `"`,
	} {
		_, err := Parse("trapline.toml", []byte("hostname = \"mx.example\"\n"+line+"\n"))
		if err == nil {
			t.Errorf("no fault in %s", line)
		} else if strings.Contains(err.Error(), "k3j9secret") {
			t.Errorf("the fault repeats the address: %v", err)
		}
	}
}
