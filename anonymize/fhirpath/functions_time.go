package fhirpath

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// Dates and times: https://hl7.org/fhirpath/#current-date-and-time-functions and
// the parts of dates of later ballots.
var timeFunctions = map[string]*function{
	"now": {eval: func(e *Evaluator, _ *Call, _ Collection) Collection {
		return e.list(e.now(tokenDateTime).item())
	}},
	"today": {eval: func(e *Evaluator, _ *Call, _ Collection) Collection {
		return e.list(e.now(tokenDateTime).asDate().item())
	}},
	"timeOfDay": {eval: func(e *Evaluator, _ *Call, _ Collection) Collection {
		t := e.now(tokenTime)
		t.zoned, t.utc, t.offset = false, false, 0
		return e.list(t.item())
	}},
	"yearOf":        {where: notMicrosoft, eval: part(toYear, func(t temporal) int { return t.year })},
	"monthOf":       {where: notMicrosoft, eval: part(toMonth, func(t temporal) int { return t.month })},
	"dayOf":         {where: notMicrosoft, eval: part(toDay, func(t temporal) int { return t.day })},
	"hourOf":        {where: notMicrosoft, eval: part(toHour, func(t temporal) int { return t.hour })},
	"minuteOf":      {where: notMicrosoft, eval: part(toMinute, func(t temporal) int { return t.minute })},
	"secondOf":      {where: notMicrosoft, eval: part(toSecond, func(t temporal) int { return t.second })},
	"millisecondOf": {where: notMicrosoft, eval: part(toMillisecond, func(t temporal) int { return t.nanos / 1_000_000 })},
	"timezoneOffsetOf": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		t, ok := e.temporal(in)
		if !ok || !t.zoned {
			return nil
		}
		d, ok := calculate("/", apd.New(int64(t.offset), 0), apd.New(60, 0))
		if !ok {
			return nil
		}
		return e.list(decimalItem(d))
	}},
	"dateOf": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		t, ok := e.temporal(in)
		if !ok || t.of == tokenTime {
			return nil
		}
		return e.list(t.asDate().item())
	}},
	"timeOf": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		t, ok := e.temporal(in)
		if !ok || t.of != tokenDateTime || t.precision < toHour {
			return nil
		}
		t.of, t.zoned, t.utc, t.offset = tokenTime, false, false, 0
		return e.list(t.item())
	}},
}

// toMillisecond asks for a fraction of a second.
const toMillisecond = toSecond + 1

func (e *Evaluator) now(of tokenKind) temporal {
	at := e.o.Now
	if at.IsZero() {
		at = time.Now()
		e.o.Now = at // the same during the life of an evaluator
	}
	_, seconds := at.Zone()
	t := temporal{of: of, precision: toSecond, zoned: true, digits: 3, offset: seconds / 60, utc: false}
	t = t.with(at, t.offset)
	t.nanos = t.nanos / 1_000_000 * 1_000_000
	return t
}

// temporal takes a collection as one date or time, or the text of one.
func (e *Evaluator) temporal(in Collection) (temporal, bool) {
	if len(in) != 1 {
		return temporal{}, false
	}
	v, ok := e.value(in[0])
	if !ok {
		return temporal{}, false
	}
	if v.Kind == KindString {
		if t, ok := parseTemporal(v.text(), tokenDateTime); ok {
			return t, true
		}
		return parseTemporal(v.text(), tokenTime)
	}
	if !isTemporal(v) {
		return temporal{}, false
	}
	return v.temporal(), true
}

func part(need precision, of func(temporal) int) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, _ *Call, in Collection) Collection {
		t, ok := e.temporal(in)
		if !ok || t.precision < min(need, toSecond) || need == toMillisecond && t.digits == 0 || t.of == tokenTime && need < toHour {
			return nil
		}
		return e.list(Integer(int64(of(t))))
	}
}
