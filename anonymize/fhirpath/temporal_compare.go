package fhirpath

// compareTemporal compares part by part. known is false where the precisions do
// not tell, or where one has a zone and the other has none.
func (e *Evaluator) compareTemporal(a, b temporal) (order int, known bool) {
	mixed := a.zoned != b.zoned && a.precision >= toHour && b.precision >= toHour
	if mixed && !e.dialect.Rules {
		return 0, false
	}
	if a.zoned && b.zoned || e.dialect.Rules {
		a, b = a.inUTC(), b.inUTC()
	}
	x := [...]int{a.year, a.month, a.day, a.hour, a.minute, a.second}
	y := [...]int{b.year, b.month, b.day, b.hour, b.minute, b.second}
	from := toYear
	if a.of == tokenTime {
		from = toHour
	}
	for p := from; p <= min(a.precision, b.precision); p++ {
		switch {
		case mixed && p == toHour:
			return 0, false
		case x[p] < y[p]:
			return -1, true
		case x[p] > y[p]:
			return 1, true
		}
	}
	if a.precision != b.precision {
		return 0, false
	}
	switch {
	case a.precision < toSecond || a.nanos == b.nanos:
		return 0, true
	case a.nanos < b.nanos:
		return -1, true
	}
	return 1, true
}

// sameTemporalKind makes a Date and a DateTime comparable.
func sameTemporalKind(a, b temporal) bool {
	return (a.of == tokenTime) == (b.of == tokenTime)
}
