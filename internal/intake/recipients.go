package intake

import (
	"net/mail"
	"net/netip"
	"strings"
	"time"

	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/trap"
)

// recipientFields are where a mailbox says for whom a message was, the surest
// first: what the delivering server wrote, then what the sender did.
var recipientFields = [][]string{
	{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"},
	{"To", "Cc"},
}

// mostRecipients bounds how many are looked up for one message.
const mostRecipients = 100

// TrapsIn gives the traps that a message from a mailbox was for, by its own
// header: none where it names none.
func TrapsIn(message []byte, d *trap.Directory, now time.Time) []trap.Recipient {
	for _, fields := range recipientFields {
		var found []trap.Recipient
		seen := map[string]bool{}
		for _, address := range addressesIn(parser.Values(message, fields...)) {
			to := d.Match(address, netip.Addr{}, now)
			if to.Class == trap.Trap && !seen[to.Address] {
				seen[to.Address] = true
				found = append(found, to)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func addressesIn(values []string) []string {
	var addresses []string
	for _, v := range values {
		list, err := mail.ParseAddressList(v)
		if err != nil { // not by the book: Delivered-To is a bare address
			addresses = append(addresses, strings.Trim(v, "<> "))
		}
		for _, a := range list {
			addresses = append(addresses, a.Address)
		}
	}
	return addresses[:min(len(addresses), mostRecipients)]
}
