package anonymize

import (
	"fhirdeid/anonymize/policy"
)

// decide applies to each node that has a value the method of the rule that won
// it, and notes up to the root where something changed.
func (w *worker) decide() *LineError {
	w.rootID = -1
	for i := int32(1); i < int32(len(w.tape)); i++ {
		n := &w.tape[i]
		if n.parent == 0 && n.elem.NoExtension && n.elem.Name == "id" {
			w.rootID = i
			break
		}
	}
	if w.strict {
		w.dropByList()
	}
	for i := range w.tape {
		n := &w.tape[i]
		if n.flags&hasValue == 0 || n.flags&(dropped|done) != 0 {
			continue
		}
		if w.apply(int32(i), n); w.fail != nil {
			return w.fail
		}
	}
	// Children come behind their parents: one way back tells all parents.
	for i := len(w.tape) - 1; i > 0; i-- {
		n := &w.tape[i]
		p := &w.tape[n.parent]
		p.flags |= n.flags & (dirty | touched)
		if n.flags&resource != 0 && n.ops != 0 {
			o := n.ops
			w.record(n.parent, o)
			n.ops = o
			p.flags |= touched
		}
	}
	return nil
}

// apply applies the winning rule to a primitive with a value.
func (w *worker) apply(i int32, n *node) {
	rule := n.state.rule
	if rule == none {
		if w.strict {
			w.methods[unlisted]++
			w.redact(i, n, false)
		}
		return
	}
	r := &w.engine.policy.Rules[rule]
	w.methods[w.engine.methods[rule]]++
	switch r.Method {
	case policy.Keep:
	case policy.Redact:
		w.redact(i, n, !w.strict)
	case policy.DateShift:
		w.dateShift(i, n, rule)
	case policy.CryptoHash:
		w.cryptoHash(i, n)
	case policy.Encrypt:
		w.encrypt(i, n)
	case policy.Substitute:
		w.substitute(i, n, r)
	case policy.PerturbBy:
		w.perturb(i, n, r)
	default:
		w.strictMethod(i, n, r)
	}
}
