package fhirpath_test

import (
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirpath"
)

// TestEval goes through the language family by family; an error is just "error".
func TestEval(t *testing.T) {
	families := map[string][][2]string{
		"existence": {
			{"name.exists()", "true"}, {"name.exists(use = 'usual')", "true"}, {"photo.exists()", "false"}, {"{}.empty()", "true"},
			{"name.all(family = 'Green')", "true"}, {"{}.all(false)", "true"}, {"(true | false).anyFalse()", "true"}, {"active.allTrue()", "true"},
			{"('a' | 'b').subsetOf('a' | 'b' | 'c')", "true"}, {"('a' | 'b').supersetOf('c')", "false"}, {"name.family.count()", "3"},
			{"name.family.distinct()", `"Green"`}, {"name.family.isDistinct()", "false"},
		},
		"subsetting": {
			{"name[1].use", `"usual"`}, {"name[9]", ""}, {"(5 | 6 | 7).tail().first()", "6"}, {"(5 | 6 | 7).skip(2)", "7"}, {"(5 | 6 | 7).take(2).last()", "6"},
			{"(5 | 6).single()", "error"}, {"(5 | 6).take(-1)", ""}, {"(1 | 2 | 3).intersect(3 | 2)", "2 3"}, {"(1 | 2 | 3).exclude(2)", "1 3"},
			{"1.combine(1)", "1 1"}, {"(1 | 2).union(2 | 3)", "1 2 3"},
		},
		"filtering": {
			{"(1 | 2 | 3).where($this > 1).select($this * 10)", "20 30"}, {"(4 | 5).select($index)", "0 1"}, {"(1 | 2 | 3).repeat(iif($this < 5, $this + 2, {}))", "3 4 5 6"},
			{"(3 | 1 | 2).sort()", "1 2 3"}, {"('b' | 'a').sort(-$this)", `"b" "a"`}, {"('b' | 'a').sort($this desc)", `"b" "a"`}, {"('b' | 'a').sort($this asc)", `"a" "b"`},
			{"(1 | 2 | 3).aggregate($this + $total, 0)", "6"}, {"(1 | 2 | 6).avg()", "3"}, {"(1 | 2 | 6).max()", "6"}, {"(1.5 | 2).sum()", "3.5"}, {"('b' | 'a').min()", `"a"`},
			{"name.where(given)", "error"}, {"(1 | 2).select(nothing)", ""},
		},
		"conditions": {
			{"{} and false", "false"}, {"{} or false", ""}, {"true xor {}", ""}, {"false implies {}", "true"}, {"{} implies false", ""}, {"'x' and true", "true"},
			{"iif(false, 1)", ""}, {"iif({}, 1, 2)", "2"}, {"iif(true, 1, (1 | 2).single())", "1"}, {"iif(1, 1)", "error"}, {"false.not()", "true"}, {"{}.not()", ""},
			{"false and name.single()", "false"}, {"coalesce({}, 2, 3)", "2"}, {"defineVariable('x', 5).select(%x + 1)", "6"}, {"%x", "error"}, {"defineVariable('x').defineVariable('x')", "error"},
		},
		"equality": {
			{"1 = 1.0", "true"}, {"'a' = 'A'", "false"}, {"'a b' ~ 'A\\tB'", "true"}, {"(1 | 2) = (2 | 1)", "false"}, {"(1 | 2) ~ (2 | 1)", "true"}, {"{} = 1", ""}, {"{} ~ {}", "true"},
			{"1.01 ~ 1.0", "true"}, {"name[1] = name[2]", "true"}, {"name[0] != name[1]", "true"}, {"2 in (1 | 2)", "true"}, {"(1 | 2) contains 3", "false"}, {"1 in {}", "false"},
			{"@2012 = @2012-01", ""}, {"@2012-01 != @2013", "true"}, {"@2012-01 ~ @2012", "false"}, {"@2020-01-01T10:00:00Z = @2020-01-01T11:00:00+01:00", "true"},
			{"1 = '1'", "false"}, {"0.1 + 0.2 = 0.3", "true"}, {"1 / 3 * 3 = 1", "true"},
		},
		"comparison": {
			{"1 < 1.5", "true"}, {"'a' < 'b'", "true"}, {"@2020 > @2019-05", "true"}, {"@2020 > @2020-05", ""}, {"@T10:00 < @T10:00:01", ""}, {"1 < 'a'", "error"}, {"true > false", "error"},
			{"@2020-01-01T10:00:00Z > @2020-01-01T10:00:00", ""}, {"1 < {}", ""}, {"(1 | 2) > 1", "error"},
		},
		"numbers": {
			{"7 div 2", "3"}, {"-7 div 2", "-3"}, {"7 mod -2", "1"}, {"7 / 2", "3.5"}, {"1 / 0", ""}, {"2147483647 + 1", ""}, {"-2147483648 is Integer", "true"}, {"9223372036854775807L + 1L", ""},
			{"9223372036854775807L", "9223372036854775807"}, {"9223372036854775808L", "error"}, {"1.50 + 1", "2.50"}, {"(-1.5).abs()", "1.5"}, {"1.1.ceiling()", "2"}, {"(-1.1).truncate()", "-1"},
			{"2.5.round()", "3"}, {"3.14159.round(2)", "3.14"}, {"1.round(-1)", "error"}, {"2.power(10)", "1024"}, {"(-1).power(0.5)", ""}, {"(-1).sqrt()", ""}, {"0.ln()", ""}, {"16.log(2)", "4.0"},
			{"'x' + 1", "error"}, {"-'x'", "error"}, {"(1 | 2) + 1", "error"},
		},
		"quantities": {
			{"4 'g' + 4 'mg'", `"4004 'mg'"`}, {"4 'g' = 4000 'mg'", "true"}, {"1 year = 12 months", "true"}, {"1 year = 1 'a'", ""}, {"1 year ~ 1 'a'", "true"}, {"7 days = 1 week", "true"},
			{"2 'm' * 3 'm'", `"6 'm.m'"`}, {"6 'm' / 2 's' = 3 'm/s'", "true"}, {"1 'kg' < 1 's'", ""}, {"1 'kg'.comparable(1 'g')", "true"}, {"20 'Cel' > 60 '[degF]'", "true"},
			{"1 'nonsense' + 1 'nonsense'", ""}, {"'3 days'.toQuantity('hours')", `"72 hours"`}, {"'3 \\'g\\''.toQuantity('mg')", `"3000 'mg'"`}, {"extension.value.ofType(Age) = 44 years", "true"},
		},
		"dates": {
			{"@2020-01-31 + 1 month", `"2020-02-29"`}, {"@2020-02-29 - 1 year", `"2019-02-28"`}, {"@2020 + 24 months", `"2022"`}, {"@T23:30 + 1 hour", `"00:30"`}, {"@T23:30 + 1 day", "error"},
			{"@2020-01-01T00:00:00.000Z - 1 'ms'", `"2019-12-31T23:59:59.999Z"`}, {"@2020-01-01 + 1 'kg'", "error"}, {"@9999-12-31 + 1 day", ""}, {"@2021-02-29", "error"},
			{"today()", `"2026-11-22"`}, {"now()", `"2026-11-22T12:00:00.000+00:00"`}, {"timeOfDay()", `"12:00:00.000"`}, {"birthDate.yearOf() + birthDate.monthOf()", "1987"}, {"deceased.timezoneOffsetOf()", "1"},
		},
		"texts": {
			{"'häuser'.substring(1, 2)", `"äu"`}, {"'abc'.substring(5)", ""}, {"'abc'.indexOf('c')", "2"}, {"'abcabc'.lastIndexOf('b')", "4"}, {"'abc'.startsWith('')", "true"}, {"'ABC'.lower() & 'd'.upper()", `"abcD"`},
			{"'a' & {}", `"a"`}, {"'a' + {}", ""}, {"'abc'.replace('', '-')", `"-a-b-c-"`}, {"'a.b'.split('.')", `"a" "b"`}, {"('a' | 'b').join('+')", `"a+b"`}, {"'  a '.trim()", `"a"`}, {"'äb'.length()", "2"},
			{"'line\\nend'.matches('line.end')", "true"}, {"'abc'.matches('b')", "true"}, {"'abc'.matchesFull('b')", "false"}, {"'ABC'.matches('b', 'i')", "true"}, {"'2020-01'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", `"01/2020"`},
			{"'<a>'.encode('base64').decode('base64')", `"<a>"`}, {"'>>?'.encode('urlbase64')", `"Pj4_"`}, {"'\\\"<'.escape('html')", `"&quot;&lt;"`}, {"'x'.encode('nothing')", ""}, {"5.length()", "error"},
		},
		"conversion": {
			{"'1'.toInteger() + '2.5'.toDecimal()", "3.5"}, {"'x'.toInteger()", ""}, {"'yes'.toBoolean()", "true"}, {"2.toBoolean()", ""}, {"1.50.toString()", `"1.50"`}, {"'2020-01-01T10:00'.toDate()", `"2020-01-01"`},
			{"'10:30'.toTime()", `"10:30"`}, {"'25:00'.convertsToTime()", "false"}, {"(1 | 2).toString()", "error"}, {"birthDate.toDateTime() is DateTime", "true"},
		},
		"boundaries": {
			{"2.5.lowBoundary(1)", "2.4"}, {"2.5.highBoundary(2)", "2.55"}, {"@2020-02.highBoundary()", `"2020-02-29"`}, {"@2020-02T.lowBoundary()", `"2020-02-01T00:00:00.000+14:00"`}, {"@T10.highBoundary(6)", `"10:59:59"`},
			{"2.5 'mg'.lowBoundary(2)", `"2.45 'mg'"`}, {"2.5.precision()", "1"}, {"@2020-02.precision()", "6"}, {"'x'.lowBoundary()", "error"}, {"1.lowBoundary(99)", ""},
		},
		"types": {
			{"id is id and id is System.String", "true"}, {"birthDate.type().name", `"date"`}, {"1.type()", `{"namespace":"System","name":"Integer"}`}, {"$this is DomainResource", "true"}, {"name.as(HumanName)", "error"},
			{"1 as String", ""}, {"id is Nothing", "error"}, {"descendants().ofType(Age).value", "44"}, {"name.given.ofType(System.String)", `"Chris"`}, {"conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true"}, {"conformsTo('http://x')", "error"},
		},
	}
	tree := readTree(t, patient)
	for family, rows := range families {
		t.Run(family, func(t *testing.T) {
			for _, row := range rows {
				got := evaluate(t, row[0], fhirpath.Specification, tree, 0)
				if strings.HasPrefix(got, "error: ") && row[1] == "error" {
					continue
				}
				if got != row[1] {
					t.Errorf("%s gives %s, want %s", row[0], got, row[1])
				}
			}
		})
	}
}
