package anonymize

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

var (
	oracleCases = flag.Int("oracle.cases", 1000, "how many rule files the engine is held against the oracle with")
	oracleSeed  = flag.Uint64("oracle.seed", 0, "the first rule file: a case says it, to be run again with -oracle.cases 1")
)

var oracleKeys = Keys{
	DateShift: []byte("a key of good length 1"), CryptoHash: []byte("a key of good length 2"), Encrypt: []byte("0123456789abcdef"),
}

// oracleCase is a rule file and the resources it is run on.
type oracleCase struct {
	rules     *ruleSet
	resources []*jsonValue
	spelling  uint64
	odd       int
}

// makeCase makes the case of a seed, always the same.
func makeCase(seed uint64) *oracleCase {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
	version := fhirmodel.R4
	if m.oneIn(5) {
		version = pick(m, fhirmodel.STU3, fhirmodel.R4B, fhirmodel.R5)
	}
	model, err := fhirmodel.Load(version)
	if err != nil {
		panic(err)
	}
	m.model = model
	if m.oneIn(4) {
		m.odd = 5
	}
	c := &oracleCase{spelling: m.Uint64(), odd: m.odd}
	var trees []*oracleTree
	for range 4 {
		v := m.resource(0)
		c.resources = append(c.resources, v)
		t := &oracleTree{model: model, exact: true}
		if _, err := t.object(nil, nil, nil, v); err == nil {
			trees = append(trees, t)
		}
	}
	if len(trees) == 0 {
		return c
	}
	c.rules = m.ruleFile(trees, pick(m, "", policy.CompatMicrosoft))
	return c
}

// lines are the resources as JSON.
func (c *oracleCase) lines() (lines [][]byte) {
	m := &maker{Rand: rand.New(rand.NewPCG(c.spelling, 2)), odd: c.odd}
	for _, v := range c.resources {
		lines = append(lines, []byte(m.spell(v)))
	}
	return lines
}

// check says where engine and oracle differ, or "". ok is false where the rules
// are none.
func (c *oracleCase) check() (difference string, ok bool) {
	p, err := policy.ParseWith(c.rules.text(), policy.ParseOptions{Compat: c.rules.compat})
	if err != nil {
		return "", false
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Keys: oracleKeys, SyntheticIV: true})
	if err != nil {
		return "", false
	}
	for _, line := range c.lines() {
		want, wantErr := runOracle(p, e.model, goldenDate, oracleKeys, line)
		got, gotErr := e.ResourceIn(nil, line, oraclePlace)
		var bad *LineError
		panicked := errors.As(gotErr, &bad) && bad.Reason == ReasonPanic
		if (wantErr == nil) == (gotErr == nil) && (gotErr != nil || string(got) == want) && !panicked {
			continue
		}
		if c.rules.skip && (bad == nil) != (wantErr == nil) && !panicked {
			continue // of two errors the engine has found another one first, and one of the two is passed over
		}
		return fmt.Sprintf("compat %q, rules\n%s\nresource\n%s\nengine gives (%v)\n%s\noracle gives (%v)\n%s", c.rules.compat, c.rules.text(), line, gotErr, got, wantErr, want), true
	}
	return "", true
}

// TestOracle holds the engine against the oracle: made-up rules on made-up
// resources give the same bytes, or are an error for both.
//
//	go test ./anonymize -run TestOracle -oracle.cases 100000 -oracle.seed 5000
func TestOracle(t *testing.T) {
	count, failed := 0, 0
	for seed := *oracleSeed; seed < *oracleSeed+uint64(*oracleCases); seed++ {
		c := makeCase(seed)
		if c.rules == nil {
			continue
		}
		difference, ok := c.check()
		if ok {
			count++
		}
		if difference == "" {
			continue
		}
		c.shrink()
		difference, _ = c.check()
		t.Errorf("-oracle.seed %d -oracle.cases 1: %s", seed, difference)
		if failed++; failed == 5 {
			t.Fatal("and perhaps more")
		}
	}
	if count < *oracleCases/2 {
		t.Errorf("only %d of %d rule files could be used", count, *oracleCases)
	}
}

// shrink leaves out of a case what the difference does not need.
func (c *oracleCase) shrink() {
	fails := func() bool {
		difference, _ := c.check()
		return difference != ""
	}
	odd := c.odd
	if c.odd = 0; !fails() {
		c.odd = odd
	}
	for again := true; again; {
		again = without(&c.resources, fails) || without(&c.rules.rules, fails)
		for _, v := range c.resources {
			again = v.shrink(fails) || again
		}
		for _, key := range []string{"enablePartialDatesForRedact", "enablePartialAgesForRedact", "enablePartialZipCodesForRedact", "dateShiftFixedOffsetInDays", "dateShiftScope", "restrictedZipCodeTabulationAreas"} {
			if old, there := c.rules.parameters[key]; there {
				if delete(c.rules.parameters, key); fails() {
					again = true
				} else {
					c.rules.parameters[key] = old
				}
			}
		}
	}
}

func (v *jsonValue) shrink(fails func() bool) bool {
	again := without(&v.members, fails)
	again = without(&v.items, fails) || again
	for _, m := range v.members {
		again = m.value.shrink(fails) || again
	}
	for _, item := range v.items {
		again = item.shrink(fails) || again
	}
	return again
}

// without leaves out of a list, one by one, what can be left out.
func without[T any](list *[]T, fails func() bool) (any bool) {
	for i := 0; i < len(*list); {
		old := *list
		if *list = slices.Delete(slices.Clone(old), i, i+1); fails() {
			any = true
			continue
		}
		*list = old
		i++
	}
	return any
}

// TestMadeUp: the resources that are made up are good ones, mostly.
func TestMadeUp(t *testing.T) {
	e := compileText(t, `{"fhirVersion":"R4","fhirPathRules":[]}`)
	good, all := 0, 0
	why := make(map[string]int)
	for seed := range uint64(300) {
		for _, line := range makeCase(seed).lines() {
			all++
			if _, err := e.Resource(nil, line); err == nil {
				good++
			} else {
				why[err.Error()[strings.LastIndexByte(err.Error(), ':')+1:]]++
			}
		}
	}
	if good < all*8/10 {
		t.Errorf("only %d of %d resources are good: %v", good, all, why)
	}
}
