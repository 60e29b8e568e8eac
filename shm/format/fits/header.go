package fits

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	block     = 2880
	card      = 80
	mostCards = 36 * 2000 // of one header
)

// header is the cards of one unit that matter here.
type header struct {
	start  int64 // of the header in the file
	values map[string]value
	end    int64 // of the header, where the data begin
}

// value is what a card says.
type value struct {
	text string // without quotes and comment
	at   int64  // of the card in the file
}

// wanted are the keywords that are kept, others are passed over.
func wanted(key string) bool {
	switch key {
	case "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "GROUPS", "EXTNAME", "EXTVER",
		"BSCALE", "BZERO", "BLANK", "DATASUM", "CHECKSUM", "ZIMAGE":
		return true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(key, "NAXIS"))
	return err == nil && strings.HasPrefix(key, "NAXIS") && n >= 1 && n <= mostAxes
}

// readHeader reads the header at start. It returns nil if there is no unit.
func readHeader(r io.ReaderAt, start, size int64) (*header, error) {
	h := &header{start: start, values: map[string]value{}}
	buf := make([]byte, block)
	for cards := 0; cards < mostCards; {
		at := start + int64(cards)*card
		n, err := r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading a header: %w", err)
		}
		if cards == 0 && (n < card || !strings.HasPrefix(string(buf[:n]), "SIMPLE") && !strings.HasPrefix(string(buf[:n]), "XTENSION")) {
			return nil, nil // what follows the last unit is no FITS
		}
		if n < block {
			return nil, fail(at, "the file ends inside a header", remedyAgain)
		}
		for i := 0; i < block; i += card {
			c := string(buf[i : i+card])
			if strings.TrimRight(c[:8], " ") == "END" {
				h.end = at + block
				return h, nil
			}
			if err := h.card(c, at+int64(i)); err != nil {
				return nil, err
			}
			cards++
		}
	}
	return nil, fail(start, fmt.Sprintf("a header has more than %d cards", mostCards), remedyAgain)
}

// card notes the value of a card.
func (h *header) card(c string, at int64) error {
	key := strings.TrimRight(c[:8], " ")
	if c[8:10] != "= " || !wanted(key) {
		return nil
	}
	if _, twice := h.values[key]; twice {
		return fail(at, fmt.Sprintf("keyword %s comes twice", key), remedyAgain)
	}
	text := strings.TrimLeft(c[10:], " ")
	if strings.HasPrefix(text, "'") {
		end := closing(text)
		if end < 0 {
			return fail(at, fmt.Sprintf("the string of %s does not end", key), remedyAgain)
		}
		text = strings.TrimRight(strings.ReplaceAll(text[1:end], "''", "'"), " ")
	} else {
		text, _, _ = strings.Cut(text, "/")
		text = strings.TrimSpace(text)
	}
	h.values[key] = value{text, at}
	return nil
}

// closing returns where the string ends that text begins with, whose quotes are
// doubled, or -1.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			i++
			continue
		}
		return i
	}
	return -1
}

// integer returns the value of a keyword that has to lie between two bounds. With
// missing, that is what is returned if there is no such card.
func (h *header) integer(key string, least, most int64, missing ...int64) (int64, error) {
	v, ok := h.values[key]
	if !ok && len(missing) > 0 {
		return missing[0], nil
	}
	if !ok {
		return 0, fail(h.start, fmt.Sprintf("keyword %s is missing", key), remedyAgain)
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fail(v.at, fmt.Sprintf("%s is %q, and no whole number from %d to %d", key, v.text, least, most), remedyAgain)
	}
	return n, nil
}

// real returns the value of a keyword, or missing.
func (h *header) real(key string, missing float64) (float64, error) {
	v, ok := h.values[key]
	if !ok {
		return missing, nil
	}
	// Exponents may be written with a D, of double precision.
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.ToUpper(v.text), "D", "E"), 64)
	if err != nil {
		return 0, fail(v.at, fmt.Sprintf("%s is %q, and no number", key, v.text), remedyAgain)
	}
	return f, nil
}
