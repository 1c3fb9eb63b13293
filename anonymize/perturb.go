package anonymize

import (
	"encoding/binary"
	"math"
	"strconv"

	"fhirdeid/anonymize/fhirmodel"
)

// perturb adds noise to a number. The noise comes from a keyed stream, so that
// the same input gives the same bytes.
func (w *worker) perturb(i int32, n *node, c claim) {
	if !isNumber(n.typ) || w.besideValue(i, c) {
		return
	}
	r := &w.engine.policy.Rules[c.rule]
	value, ok := parseDecimal(w.text(n))
	if !ok { // too large to add noise to, and so to be kept
		w.record(i, opRedact)
		w.remove(n)
		return
	}
	half := r.Perturb.Span / 2
	if r.Perturb.Proportional {
		v, _ := strconv.ParseFloat(value.String(), 64) // it has 29 digits at the most
		half *= math.Abs(v)                            // a negative number ends Microsoft's tool
	}
	noise, ok := parseDecimal(strconv.AppendFloat(nil, half*(2*w.uniform(i)-1), 'g', 15, 64))
	if !ok {
		w.fault(ReasonValue, i, "its number is out of range")
		return
	}
	places := r.Perturb.RoundTo
	if n.typ.Kind == fhirmodel.Integer {
		places = 0
	}
	result := value
	if half > 0 {
		result = value.add(noise)
	}
	result = result.round(places)
	switch {
	case n.typ.Name == "positiveInt" && result.unscaled.Sign() <= 0:
		result, _ = parseDecimal([]byte("1"))
	case n.typ.Name == "unsignedInt" && result.unscaled.Sign() < 0:
		result, _ = parseDecimal([]byte("0"))
	}
	w.record(i, opPerturb)
	begin := len(w.values)
	w.values = append(w.values, result.String()...)
	w.set(n, begin)
}

func isNumber(t *fhirmodel.Type) bool {
	return t.Kind == fhirmodel.Decimal || t.Kind == fhirmodel.Integer && t.Name != "integer64"
}

// besideValue reports whether the number stands in a quantity whose value the same
// rule changes, or below a number that it changes: all else there then stays.
func (w *worker) besideValue(i int32, c claim) bool {
	child := i
	for p := w.tape[i].parent; p >= 0; child, p = p, w.tape[p].parent {
		if w.claimOf(p).rule != c.rule {
			return false
		}
		if n := &w.tape[p]; isNumber(n.typ) && n.end > 0 {
			return true
		}
		if !isQuantity(w.tape[p].typ) {
			continue
		}
		if child == i && w.tape[i].elem.Name == "value" {
			continue // but it may stand in a quantity around that one
		}
		for k := p + 1; k < w.tape[p].after; k = w.next(k) {
			if n := &w.tape[k]; n.elem.Name == "value" && n.end > 0 && w.claimOf(k).rule == c.rule {
				return true
			}
		}
	}
	return false
}

// uniform is a number from 0 to below 1 that belongs to this node of this
// resource.
func (w *worker) uniform(i int32) float64 {
	w.noiseH.Reset()
	if w.rootID >= 0 {
		w.noiseH.Write(w.data[w.tape[w.rootID].start:w.tape[w.rootID].end])
	}
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], uint32(i))
	w.noiseH.Write(number[:])
	w.noiseH.Write([]byte(w.path(i)))
	var sum [32]byte
	return float64(binary.BigEndian.Uint64(w.noiseH.Sum(sum[:0]))>>11) / (1 << 53)
}
