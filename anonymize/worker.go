package anonymize

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"runtime"
	"strconv"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// worker processes lines one after the other. Its buffers are used again.
type worker struct {
	scanner
	engine *Engine
	today  date // the as-of instant's
	place  Place

	// extensions is the type of them.
	extensions *fhirmodel.Type

	values  []byte // new values of nodes
	scratch []byte
	groups  [][2]int32
	cryptoH hash.Hash
	pseudoH hash.Hash
	shiftH  hash.Hash
	noiseH  hash.Hash
	sum     []byte
	memo    memo
	// shiftKeyH is for shifts by patient, owner the last of them
	shiftKeyH hash.Hash
	owner     ownerShift
	rootID    int32 // the root's id node, or -1
	// moved says that the tape is not in the order of the line any more, so that
	// nothing can be spliced.
	moved bool
	// the document's date shift, by the id before and after it is changed
	shiftBefore, shiftAfter shift

	// what only some policies need; see decideSpecial
	claims     []claim
	arrivals   []arrival
	view       view
	buckets    [][]fhirpath.Item // by route.bucket
	due        []uint64          // the general rules with nodes, a bit each
	pending    []pending
	found      []int32
	evaluators []*fhirpath.Evaluator
	evaluating int
	// lists are the children of nodes whose children have moved
	lists     map[int32][]int32
	fragments map[fragmentKey]*fragment
	// masks stand for required elements that are gone
	masks []mask
	// labels are the texts of security labels, by operations
	labels [opEnd][]byte
	// skippable says that the fault is one that the policy may skip
	skippable bool

	// counts of this line
	methods [methodCount]int64
}

func newWorker(e *Engine) *worker {
	w := &worker{engine: e, today: dateAt(e.asOf), lists: make(map[int32][]int32), fragments: make(map[fragmentKey]*fragment)}
	w.scanner = newScanner(e.model, e.routes, e.strict)
	w.extensions = e.model.Type("Extension")
	w.scanner.rules.quick = e.quick
	w.lossless = e.strict || !e.exact
	w.cryptoH = hmac.New(sha256.New, e.keys.CryptoHash)
	w.pseudoH = hmac.New(sha256.New, e.keys.Pseudonym)
	w.shiftKeyH = hmac.New(sha256.New, e.keys.DateShift)
	w.noiseH = hmac.New(sha256.New, append([]byte("perturb "), e.keys.CryptoHash...))
	w.shiftH = hmac.New(sha256.New, append([]byte("iv "), e.keys.Encrypt...))
	return w
}

// resource processes one line. A panic is a fault of that line alone.
func (w *worker) resource(dst, line []byte) (out []byte, err error) {
	begin := len(dst)
	defer func() {
		if v := recover(); v != nil {
			out, err = dst[:begin], &LineError{Reason: ReasonPanic, detail: "the program failed at " + panicPlace()}
			*w = *newWorker(w.engine) // its buffers may be in any state
		}
	}()
	if fail := w.scan(line); fail != nil {
		return dst, fail
	}
	w.moved = false
	if fail := w.decide(); fail != nil {
		if w.skippable && w.engine.policy.SkipErrors {
			return w.emitSkipped(dst), nil
		}
		return dst, fail
	}
	return w.emit(dst), nil
}

// panicPlace is the function and line of a panic, without any value.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "fhirdeid/") {
			return f.Function[strings.LastIndexByte(f.Function, '/')+1:] + ":" + strconv.Itoa(f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// set gives a node a new value: JSON, as it is to be written.
func (w *worker) set(n *node, begin int) {
	n.outStart, n.outEnd = int32(begin), int32(len(w.values))
	n.flags |= hasValue | replaced | touched
	n.flags &^= removed
}

// setString gives a node a text as its value, without white space around it, as
// all texts are written. An empty one removes it.
func (w *worker) setString(n *node, text []byte) {
	if text = bytes.TrimSpace(text); len(text) == 0 {
		w.remove(n)
		return
	}
	begin := len(w.values)
	w.values = appendString(w.values, text)
	w.set(n, begin)
}

func (w *worker) remove(n *node) {
	n.flags |= removed | touched
	n.flags &^= hasValue
}

// ruleText names a rule in an error.
func (w *worker) ruleText(rule int) string {
	r := &w.engine.policy.Rules[rule]
	return "rule " + strconv.Itoa(r.Number) + " (line " + strconv.Itoa(r.Line) + ")"
}

// record notes for the security labels what was done, at the resource whose rule
// has done it, even where it has changed nothing.
func (w *worker) record(i int32, o ops) {
	at := int32(0)
	if w.nested {
		at = w.above(i, w.claimOf(i).level)
	}
	w.recordAt(at, o)
}

func (w *worker) recordAt(r int32, o ops) {
	w.tape[r].ops |= o
	w.tape[r].flags |= touched
}
