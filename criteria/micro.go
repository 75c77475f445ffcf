package criteria

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Micro is an exact number with six decimals, counted in millionths. Every
// weight, factor and threshold of a policy is one.
type Micro int64

// One is the Micro of 1.
const One Micro = 1_000_000

// ParseMicro reads a plain decimal number ("4", "0.25", "-1.5", "1_000.0").
// More than six decimals, an exponent or anything beyond ±9e12 is an error.
func ParseMicro(s string) (Micro, error) {
	text := strings.ReplaceAll(s, "_", "")
	sign := strings.HasPrefix(text, "-")
	whole, frac, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+"), ".")
	if !isDigits(whole) || frac != "" && !isDigits(frac) || len(frac) > 6 ||
		strings.HasSuffix(text, ".") {
		return 0, fmt.Errorf("%q is not a number with at most six decimals", s)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large", s)
	}
	if sign {
		n = -n
	}
	return Micro(n), nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String gives the shortest decimal form: "4", "0.25".
func (m Micro) String() string { return decimal(big.NewRat(int64(m), int64(One))) }

// MarshalJSON writes the number as a JSON number.
func (m Micro) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a plain JSON number; see ParseMicro.
func (m *Micro) UnmarshalJSON(b []byte) (err error) {
	*m, err = ParseMicro(string(b))
	return err
}

// Number is an exact rational that prints as a decimal rounded to six places.
type Number struct{ rat *big.Rat }

// Rat gives the exact value, for the caller to keep.
func (n Number) Rat() *big.Rat {
	if n.rat == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Set(n.rat)
}

// String rounds to six decimals and drops trailing zeros.
func (n Number) String() string { return decimal(n.Rat()) }

// MarshalJSON writes the rounded number.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalJSON reads a JSON number exactly as it is written.
func (n *Number) UnmarshalJSON(b []byte) error {
	r, ok := new(big.Rat).SetString(string(b))
	if !ok {
		return fmt.Errorf("%s is not a number", b)
	}
	n.rat = r
	return nil
}

func decimal(r *big.Rat) string {
	s := strings.TrimRight(strings.TrimRight(r.FloatString(6), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}
