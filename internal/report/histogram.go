package report

import (
	"fmt"
	"strconv"

	"fhirdeid/internal/risk"
)

// histogram is the picture of the cells' sizes: a bar for each range of sizes, as
// high as there are patients in such cells. Its units are those of the viewBox,
// which is as wide as a telephone, so that its text can be read there.
type histogram struct {
	Width, Height, Base int
	Bars                []histogramBar
	// Line is where k is, 0 where the picture does not reach so far.
	Line int
	K    int64
	// Label says in words what is to be seen.
	Label string
}

type histogramBar struct {
	X, Y, Width, Height, Middle int
	// Tone is the class of its colour: bad, wait or plain.
	Tone  string
	Name  string // the range's beginning, below the bar
	Count string // above it
	Title string
}

const (
	histogramWidth  = 360
	histogramHeight = 160
	histogramTop    = 32 // room for the numbers, and above them for k
	histogramBase   = 138
)

// newHistogram draws the sizes up to the largest that there is.
func newHistogram(r *Risk) *histogram {
	if r == nil || r.Cells == 0 {
		return nil
	}
	h := &histogram{Width: histogramWidth, Height: histogramHeight, Base: histogramBase, K: r.K}
	sizes := r.Sizes
	for len(sizes) > 1 && sizes[len(sizes)-1].Cells == 0 && sizes[len(sizes)-1].From > r.K {
		sizes = sizes[:len(sizes)-1]
	}
	var most int64 = 1
	for _, s := range sizes {
		most = max(most, s.Patients)
	}
	step := histogramWidth / max(len(sizes), 1)
	for i, s := range sizes {
		b := histogramBar{X: i*step + 1, Width: step - 2, Middle: i*step + step/2, Name: strconv.FormatInt(s.From, 10), Tone: toneOf(r, s)}
		if s.Patients > 0 {
			b.Height = max(2, int(int64(histogramBase-histogramTop)*s.Patients/most))
			b.Count = compact(s.Patients)
		}
		b.Y = histogramBase - b.Height
		b.Title = fmt.Sprintf("combinations of %s: %s, with %s", sizeRange(s), number(s.Cells), count(s.Patients, "patient"))
		if s.From == r.K {
			h.Line = i * step
		}
		h.Bars = append(h.Bars, b)
	}
	h.Label = fmt.Sprintf("Patients by how many share their combination; %s of %s are in combinations of fewer than %d.", number(r.PatientsBelowK), number(r.Patients), r.K)
	return h
}

// toneOf is the colour of a range.
func toneOf(r *Risk, s risk.Sizes) string {
	switch {
	case s.From < r.Minimum:
		return "bad"
	case s.From < r.K:
		return "wait"
	}
	return "plain"
}

// sizeRange writes a range of sizes.
func sizeRange(s risk.Sizes) string {
	switch s.To {
	case 0:
		return number(s.From) + " or more"
	case s.From:
		return number(s.From)
	}
	return number(s.From) + " to " + number(s.To)
}

// compact writes a number in at most five characters.
func compact(n int64) string {
	f := float64(n)
	for _, unit := range []string{"", "k", "M", "G"} {
		switch {
		case f < 1000 && unit == "":
			return strconv.FormatInt(n, 10)
		case f < 9.95:
			return strconv.FormatFloat(f, 'f', 1, 64) + unit
		case f < 999.5:
			return strconv.FormatFloat(f, 'f', 0, 64) + unit
		}
		f /= 1000
	}
	return "many"
}

// riskSentences say what the sizes come to.
func (r *Run) riskSentences() []string {
	k := r.Risk
	if k == nil {
		return nil
	}
	if k.Cells == 0 {
		return []string{"There are no patients in the result, so nothing was counted."}
	}
	s := []string{fmt.Sprintf("%s in %s of quasi-identifiers; the smallest has %s.",
		count(k.Patients, "patient"), count(k.Cells, "combination"), count(k.Smallest, "patient"))}
	if k.PatientsBelowK == 0 {
		s = append(s, fmt.Sprintf("Every patient shares theirs with at least %d others (k = %d).", k.Smallest-1, k.K))
	} else {
		s = append(s, fmt.Sprintf("%s in combinations of fewer than %d (k), %s of all.", is(k.PatientsBelowK, "patient"), k.K, percent(k.PatientsBelowK, k.Patients)))
	}
	if k.Minimum > 0 && k.Smallest < k.Minimum {
		s = append(s, fmt.Sprintf("The policy asks for at least %d in each: %s smaller, with %s.", k.Minimum, is(k.CellsBelowMinimum, "combination"), count(k.PatientsBelowMinimum, "patient")))
	} else if k.Minimum > 0 {
		s = append(s, fmt.Sprintf("The policy asks for at least %d in each, and that is so.", k.Minimum))
	}
	return s
}

// is writes a number with its noun and the verb.
func is(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return count(n, noun) + " are"
}

// percent writes a share; one that is neither nothing nor all never looks so.
func percent(part, whole int64) string {
	if whole == 0 {
		return "0 %"
	}
	if part == whole {
		return "100 %"
	}
	f := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && f < 0.1:
		return "less than 0.1 %"
	case part < whole && f > 99.9:
		return "more than 99.9 %"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " %"
}
