package fhirpath

import "fhirdeid/anonymize/fhirmodel"

// resultKind are the functions that give a value of one kind, and nothing of nothing;
// always are those that give a value of nothing too.
var (
	resultKind = map[string]Kind{
		"not": KindBoolean, "startsWith": KindBoolean, "endsWith": KindBoolean, "matches": KindBoolean,
		"matchesFull": KindBoolean, "contains": KindBoolean, "is": KindBoolean,
		"indexOf": KindInteger, "lastIndexOf": KindInteger, "length": KindInteger,
		"substring": KindString, "upper": KindString, "lower": KindString, "trim": KindString, "replace": KindString,
		"replaceMatches": KindString, "encode": KindString, "decode": KindString, "escape": KindString,
		"unescape": KindString, "toChars": KindString, "split": KindString, "toString": KindString,
		"toBoolean": KindBoolean, "toInteger": KindInteger, "toLong": KindLong, "toDecimal": KindDecimal,
		"toDate": KindDate, "toDateTime": KindDateTime, "toTime": KindTime, "toQuantity": KindQuantity,
		"convertsToBoolean": KindBoolean, "convertsToInteger": KindBoolean, "convertsToLong": KindBoolean,
		"convertsToDecimal": KindBoolean, "convertsToDate": KindBoolean, "convertsToDateTime": KindBoolean,
		"convertsToTime": KindBoolean, "convertsToQuantity": KindBoolean, "convertsToString": KindBoolean,
		"sqrt": KindDecimal, "exp": KindDecimal, "ln": KindDecimal, "log": KindDecimal, "type": KindType,
		"ceiling": KindInteger, "floor": KindInteger, "truncate": KindInteger,
	}
	always = map[string]Kind{
		"empty": KindBoolean, "all": KindBoolean, "allTrue": KindBoolean, "allFalse": KindBoolean,
		"isDistinct": KindBoolean, "subsetOf": KindBoolean, "supersetOf": KindBoolean,
		"count": KindInteger, "now": KindDateTime, "today": KindDate, "timeOfDay": KindTime, "join": KindString,
	}
	// neverOfNothing give a boolean that is false for nothing.
	neverOfNothing = map[string]bool{"exists": true, "anyTrue": true, "anyFalse": true, "hasValue": true, "hasExtension": true}
	// ofTexts are the functions that Microsoft's tool applies to a text without
	// asking whether there is one.
	ofTexts = map[string]bool{
		"startsWith": true, "endsWith": true, "matches": true, "contains": true, "indexOf": true, "lastIndexOf": true,
		"length": true, "substring": true, "upper": true, "lower": true, "trim": true, "replace": true,
		"replaceMatches": true, "encode": true, "decode": true, "escape": true, "unescape": true, "toChars": true, "split": true,
	}
	refused = map[string]bool{"resolve": true, "memberOf": true, "subsumes": true, "subsumedBy": true}
)

// call types a function. One that is not known here can give anything.
func (t *typer) call(x *Call, focus *shape) *shape {
	in := focus
	if x.Input != nil {
		in = t.infer(x.Input, focus)
	}
	if s, ok := t.selecting(x, in); ok {
		return s
	}
	if s, ok := t.combining(x, in); ok {
		return s
	}
	switch x.Name {
	case "exists", "all":
		if len(x.Args) > 0 {
			held := t.each(x.Args[0], in)
			s := valueShape(KindBoolean)
			s.never = x.Name == "exists" && (in.empty() || !held.canHold())
			return s
		}
	case "as", "ofType":
		want, _ := typeOf(x.Args[0])
		return t.ofType(x, in, want)
	case "is":
		want, _ := typeOf(x.Args[0])
		return t.isType(in, want)
	}
	t.arguments(x)
	if neverOfNothing[x.Name] {
		s := valueShape(KindBoolean)
		s.never = in.empty()
		return s
	}
	if k, ok := always[x.Name]; ok {
		return valueShape(k)
	}
	if refused[x.Name] {
		t.remark(x, Refused, x.Name, in, "")
		return anyShape()
	}
	k, ok := resultKind[x.Name]
	if !ok {
		return anyShape()
	}
	if in.empty() {
		return in
	}
	if ofTexts[x.Name] && (len(in.nodes) > 0 || in.any) {
		t.remark(x, TextOfNode, x.Name, in, "")
	}
	return valueShape(k)
}

// arguments looks into the arguments of a function that are not criteria.
func (t *typer) arguments(x *Call) {
	for _, a := range x.Args {
		t.alone(a, t.scope.this)
	}
}

// selecting are the functions that give some of their input.
func (t *typer) selecting(x *Call, in *shape) (*shape, bool) {
	same := in.filter(func(Possible) bool { return true })
	switch x.Name {
	case "where":
		held := t.each(x.Args[0], in)
		if !in.empty() && !held.canHold() {
			t.remark(x, NeverTrue, x.Name, in, "")
			return &shape{}, true
		}
	case "first", "last", "single":
		bare := &shape{any: in.any, values: in.values}
		for _, p := range in.nodes {
			p.Bare = true
			bare.add(p)
		}
		return bare, true
	case "tail", "skip", "take":
		t.arguments(x)
	case "distinct":
		t.checkUnion(x, x.Name, in, in)
	case "exclude":
		t.arguments(x)
	case "intersect":
		other := t.alone(x.Args[0], t.scope.this)
		t.checkUnion(x, x.Name, in, other)
		if other.empty() {
			return other, true
		}
	case "sort":
		for _, a := range x.Args {
			t.each(a, in)
		}
	case "trace":
		t.alone(x.Args[0], t.scope.this)
		if len(x.Args) > 1 {
			t.each(x.Args[1], in)
		}
	case "defineVariable":
		value := in
		if len(x.Args) > 1 {
			value = t.each(x.Args[1], in)
		}
		if name, ok := literalText(x.Args[0]); ok {
			t.scope.vars = &typedVariable{name, value, t.scope.vars}
		} else {
			return anyShape(), true
		}
	default:
		return nil, false
	}
	return same, true
}

// combining are the functions that give other nodes.
func (t *typer) combining(x *Call, in *shape) (*shape, bool) {
	switch x.Name {
	case "select":
		if in.empty() {
			t.each(x.Args[0], in)
			return &shape{}, true
		}
		return t.each(x.Args[0], in), true
	case "repeat", "repeatAll":
		return t.repeat(x, in), true
	case "union", "combine":
		other := t.alone(x.Args[0], t.scope.this)
		if x.Name == "union" {
			t.checkUnion(x, x.Name, in, other)
		}
		return joined(in, other), true
	case "coalesce":
		out := &shape{}
		for _, a := range x.Args {
			out.addAll(t.alone(a, t.scope.this))
		}
		return out, true
	case "iif":
		condition := t.each(x.Args[0], in)
		out := &shape{}
		for i, a := range x.Args[1:] {
			if part := t.each(a, in); i > 0 || condition.canHold() {
				out.addAll(part)
			}
		}
		return out, true
	case "aggregate":
		return t.aggregate(x, in), true
	case "children":
		return t.children(in), true
	case "descendants":
		return t.below(in, false), true
	case "extension":
		t.arguments(x)
		return t.named(in, "extension"), true
	case "nodesByType", "nodesByName":
		of, ok := literalText(x.Args[0])
		closed := t.closed(in)
		if !ok {
			return closed, true
		}
		return t.lookup(x.position(), x.Name == "nodesByType", of, closed), true
	}
	return nil, false
}

// literalText is an argument that is a text, or a name in double quotes.
func literalText(x Node) (string, bool) {
	l, ok := x.(*Literal)
	if !ok || l.Value.Kind != KindString {
		return "", false
	}
	return l.Value.Text(), true
}

// closed are the items and all below them, without nested resources and what is
// in them.
func (t *typer) closed(in *shape) *shape {
	out := &shape{any: in.any}
	out.addAll(in)
	out.values = 0
	for _, p := range t.below(in, true).nodes {
		if p.Type.Kind != fhirmodel.Resource {
			out.add(p)
		}
	}
	return out
}

// lookup leaves the nodes of a type or name.
func (t *typer) lookup(position int, byType bool, of string, among *shape) *shape {
	out := among.filter(func(p Possible) bool {
		if byType {
			return p.Type.Name == of
		}
		return p.Element != nil && p.Element.Name == of
	})
	if !out.empty() || among.empty() {
		return out
	}
	if byType {
		t.remarkAt(position, NoType, of, &shape{}, Nearest(of, t.m.TypeNames()))
		return out
	}
	var names []string
	for _, p := range among.nodes {
		if p.Element != nil {
			names = append(names, p.Element.Name)
		}
	}
	t.remarkAt(position, NoElement, of, &shape{}, Nearest(of, names))
	return out
}

// repeat applies its argument to what it gives until nothing new comes.
func (t *typer) repeat(x *Call, in *shape) *shape {
	t.quiet++
	out := &shape{}
	for todo := in; ; todo = out {
		if !out.addAll(t.each(x.Args[0], todo)) {
			break
		}
	}
	t.quiet--
	t.each(x.Args[0], joined(in, out)) // once more, for the remarks
	return out
}

func (t *typer) aggregate(x *Call, in *shape) *shape {
	saved := t.scope
	defer func() { t.scope = saved }()
	total := &shape{}
	if len(x.Args) > 1 {
		total.addAll(t.alone(x.Args[1], t.scope.this))
	}
	for range 16 {
		t.scope.total = total
		next := joined(total, t.each(x.Args[0], in))
		if !total.addAll(next) {
			total.never = false
			return total
		}
	}
	return anyShape()
}
