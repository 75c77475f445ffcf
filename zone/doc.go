// Package zone turns the list into files that every mail server can use.
//
// In come listings, the exceptions in force and what the zone says of itself (Header); out comes
// one folder of four files that rsync serves. Resolve, Render, Parse, Diff and Guard are pure:
// equal input gives equal bytes. Publisher puts the bytes on disk, Runner decides when. The package
// must never publish half a file, a network wider than /24 or /48, a network that an exception
// covers, or any text but the header's.
//
// # The folder
//
// A publication replaces four files, in this order, each by one rename:
//
//	<origin>.txt   networks with the answers 127.0.0.2 and 127.0.0.4, one a line: for firewalls
//	<origin>.json  all listings, an object; times rounded to the hour, ends up and beginnings down
//	<origin>       the zone: an rbldnsd data file of type combined, with both address families
//	SHA256SUMS     of the three, as sha256sum -c reads it
//
// A reader that cares whether the four belong together reads the sums last and compares. A crash
// between two renames leaves whole files that do not belong together; the next start sees that by
// the sums and publishes again.
//
// # The zone
//
// The file is written for rbldnsd, and for what its reader does with a file that is not perfect:
// it skips what it cannot read and serves the rest, and a file that changes under it or a stamp
// in the future silences the zone. Hence full addresses only, no exclusions, no duplicates, one
// default line (:A:TXT) per answer instead of a value per entry, and a last line that is a comment
// which counts the entries, so that a file cut off anywhere is seen to be cut off.
//
//	# bl.example by trapline: edits are lost at the next publication
//	$TIMESTAMP 20261123071642 +172800s
//	$SOA 300 mx.example hostmaster.mx.example 1795418502 3600 900 604800 60
//	$NS 300 mx.example
//	$TTL 300
//	$MAXRANGE4 /24
//	$DATASET ip4trie @
//	:127.0.0.2:Listed, see https://bl.example/ip/$
//	127.0.0.2
//	198.51.100.7
//	:127.0.0.4:Listed, see https://bl.example/ip/$
//	203.0.113.0/24
//	$DATASET ip6trie @
//	:127.0.0.2:Listed, see https://bl.example/ip/$
//	::ffff:7f00:2
//	2001:db8:1:2::/64
//	# end of bl.example: 3 entries
//
// 127.0.0.2 and ::ffff:7f00:2 are the test entries of RFC 5782, section 5; they are no listings and
// stand only here. 127.0.0.1 and ::ffff:7f00:1 must not be listed and never are: special space is
// not.
//
// # The state
//
// Beside the folder, on the same file system, lies a folder of our own:
//
//	generations/<serial>/  the four files of each kept publication, hard links of the published
//	next/, link            a publication on its way
//	state.json             the last serial, what the guard has let go out in this hour, and the numbers
//	                       of the orders that the last publication and the one before it carry out
//
// It may be lost: the serial is then read from the zone, and an order is published again. What the
// operator orders instead of the list (Order: an earlier publication, or nobody) is not in it but in
// the ledger.
package zone
