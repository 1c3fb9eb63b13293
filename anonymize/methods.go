package anonymize

import "fhirdeid/anonymize/policy"

// method is what a method of the rule language does to a primitive with a value.
// A new one is a line in the table, and a file of its own.
type method struct {
	name policy.Method
	// apply does it; nil does nothing. The worker has noted that the value is done.
	apply func(w *worker, i int32, n *node, c claim)
	// leaves says how much of a value may come through.
	leaves closeness
}

// closeness orders the methods by how much of a value they leave.
type closeness int

const (
	nothing closeness = iota
	aClass            // only what looks like what the profiles let pass
	most              // the value in another form
	all
)

// methods are those of the rule language; what Stats count is in this order. The
// first two are what most values meet.
func methods() []method {
	return []method{
		methodKeep:   {policy.Keep, nil, all},
		methodRedact: {policy.Redact, func(w *worker, i int32, n *node, _ claim) { w.redact(i, n, !w.strict) }, nothing},
		{policy.DateShift, (*worker).dateShift, most},
		{policy.CryptoHash, func(w *worker, i int32, n *node, _ claim) { w.cryptoHash(i, n) }, most},
		{policy.Encrypt, func(w *worker, i int32, n *node, _ claim) { w.encrypt(i, n) }, most},
		{policy.Substitute, nil, nothing}, // done before, since it concerns more than values
		{policy.PerturbBy, (*worker).perturb, most},
		{policy.GeneralizeBy, (*worker).generalize, most},

		// Those of strict policies. A value that a method does not fit is dropped.
		{policy.Year, func(w *worker, i int32, n *node, _ claim) { w.year(i, n) }, aClass},
		{policy.Shift, func(w *worker, i int32, n *node, _ claim) { w.shift(i, n) }, most},
		{policy.ZIP3, func(w *worker, i int32, n *node, _ claim) { w.zip3(i, n) }, aClass},
		{policy.ZIP, func(w *worker, i int32, n *node, _ claim) { w.zip(i, n) }, most},
		{policy.Town, func(w *worker, i int32, n *node, _ claim) { w.town(i, n) }, most},
		{policy.State, func(w *worker, i int32, n *node, _ claim) { w.state(i, n) }, aClass},
		{policy.Pseudonym, func(w *worker, i int32, n *node, _ claim) { w.pseudonym(i, n) }, aClass},
		methodCoding: {policy.Coding, func(w *worker, i int32, n *node, _ claim) { w.coding(i, n) }, aClass},
		{policy.Code, func(w *worker, i int32, n *node, _ claim) { w.code(i, n) }, aClass},
		methodExtension: {policy.Extension, func(w *worker, i int32, n *node, _ claim) { w.extension(i, n) }, aClass},
		{policy.Quantity, func(w *worker, i int32, n *node, _ claim) { w.quantity(i, n) }, aClass},
		{policy.Number, func(w *worker, i int32, n *node, _ claim) { w.number(i, n) }, aClass},

		// A program's own methods, of which nothing is known.
		methodCustom: {"custom", (*worker).custom, all},
		// What no rule of a strict policy reaches.
		unlisted: {"unlisted", nil, nothing},
	}
}

// The indices of methods that are asked for.
const (
	methodKeep      = 0
	methodRedact    = 1
	methodCoding    = 15
	methodExtension = 17
	methodCustom    = 20
	unlisted        = 21
	methodCount     = 22
)

// setMethods finds the method of each rule.
func (e *Engine) setMethods() {
	e.table = methods()
	e.postalCode = e.model.Type("Address").Member([]byte("postalCode"))
	e.codingType, e.extensionType = e.model.Type("Coding"), e.model.Type("Extension")
	e.methods = make([]int, len(e.policy.Rules))
	for i := range e.policy.Rules {
		e.methods[i] = e.methodIndex(e.policy.Rules[i].Method)
	}
}

func (e *Engine) methodIndex(name policy.Method) int {
	for i := range e.table[:methodCustom] {
		if e.table[i].name == name {
			return i
		}
	}
	return methodCustom
}
