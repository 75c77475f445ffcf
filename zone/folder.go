package zone

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// sumsName is the file of checksums.
const sumsName = "SHA256SUMS"

// namesOf gives the four files of a folder in the order in which they are published: the sums come
// last, because they say that the rest belongs together.
func namesOf(origin string) [4]string {
	return [...]string{origin + ".txt", origin + ".json", origin, sumsName}
}

// content is the bytes of the four files, in the order of namesOf.
type content [4][]byte

func renderAll(h Header, listings []criteria.Listing, serial uint32, now criteria.Second) content {
	c := content{
		RenderText(h, listings),
		RenderJSON(h, listings, serial),
		Render(h, listings, serial, now),
	}
	c[3] = sumsOf(h.Origin, c)
	return c
}

// sumsOf writes the sums of the first three files, sorted by name, as sha256sum does.
func sumsOf(origin string, c content) []byte {
	names := namesOf(origin)
	var lines []string
	for i, data := range c[:3] {
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), names[i]))
	}
	slices.SortFunc(lines, func(a, b string) int { // by name, which follows the sum
		return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:])
	})
	return []byte(strings.Join(lines, ""))
}

// set is the four files of one publication as they were found.
type set struct {
	zone     Zone               // as far as it could be read
	listings []criteria.Listing // of the .json; where that is unfit of the zone, without end
	found    bool               // there is a zone file
	faults   Faults             // none: the four belong together
}

// readSet reads the files of a folder and compares them with each other.
func readSet(dir, origin string) (set, error) {
	var s set
	c, err := s.readFiles(dir, origin)
	if err != nil {
		return s, err
	}
	if !s.found {
		s.takeJSON(origin, c[1]) // there is no zone to compare the others with
		return s, nil
	}
	s.checkZone(origin, c[2])
	if c[0] != nil {
		s.checkText(origin, c[0])
	}
	if c[1] != nil {
		s.checkJSON(origin, c[1])
	}
	return s, nil
}

func (s *set) fault(where, problem string) { s.faults = append(s.faults, Fault{where, problem}) }

// readFiles reads what is there; what is not is a fault, what cannot be read an error.
func (s *set) readFiles(dir, origin string) (content, error) {
	var c content
	for i, name := range namesOf(origin) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			s.fault(name, "is missing")
			continue
		case err != nil:
			return c, fmt.Errorf("read zone folder: %w", err)
		}
		c[i] = data
		s.found = s.found || name == origin
	}
	if c[3] != nil && !bytes.Equal(c[3], sumsOf(origin, c)) {
		s.fault(sumsName, "does not hold the sums of the other three files")
	}
	return c, nil
}

func (s *set) checkZone(origin string, data []byte) {
	zone, err := Parse(data)
	s.zone, s.listings = zone, withoutEnd(zone.Listings)
	var faults Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			s.fault(origin+": "+f.Where, f.Problem)
		}
	}
	if zone.Header.Origin != origin {
		s.fault(origin, fmt.Sprintf("says that it is the zone %q", zone.Header.Origin))
	}
}

func (s *set) checkText(origin string, text []byte) {
	if !bytes.Equal(text, RenderText(s.zone.Header, s.zone.Listings)) {
		s.fault(origin+".txt", "has other networks than the zone")
	}
}

// takeJSON takes the listings of a .json that is all there is.
func (s *set) takeJSON(origin string, data []byte) {
	if list, listings, err := parseJSON(data); err == nil && list.Origin == origin {
		s.zone.Serial, s.listings = list.Serial, listings
	}
}

func (s *set) checkJSON(origin string, data []byte) {
	name := origin + ".json"
	list, listings, err := parseJSON(data)
	if err != nil {
		s.fault(name, err.Error())
		return
	}
	if list.Retired != s.zone.Header.Retired {
		s.fault(name, "differs from the zone in whether that is retired")
	}
	if list.Serial != s.zone.Serial || list.Origin != origin {
		s.fault(name, fmt.Sprintf("is %s serial %d, the zone serial %d", list.Origin, list.Serial,
			s.zone.Serial))
	}
	if !Diff(s.zone.Listings, listings).Empty() {
		s.fault(name, "has other listings than the zone")
	}
	s.listings = listings
}

// withoutEnd is the listings of a zone alone, which does not say when one ends.
func withoutEnd(listings []criteria.Listing) []criteria.Listing {
	listings = slices.Clone(listings)
	for i := range listings {
		listings[i].Until = criteria.Never
	}
	return listings
}
