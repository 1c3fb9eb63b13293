package synth

// code is a code of a public code system.
type code struct{ system, code, display string }

const (
	snomed = "http://snomed.info/sct"
	loinc  = "http://loinc.org"
	rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
	icd10  = "http://hl7.org/fhir/sid/icd-10-cm"
	cvx    = "http://hl7.org/fhir/sid/cvx"
	ucum   = "http://unitsofmeasure.org"
)

var (
	familyNames = []string{
		"Abernathy", "Blumenthal", "Castellanos", "Dietrichsen", "Eastwick", "Fairweather", "Gallagher", "Hutchinson", "Ivanovich", "Jankowski",
		"Kowalczyk", "Lindqvist", "Montgomery", "Nakashima", "Oberhauser", "Pemberton", "Quillfeather", "Rosenquist", "Schwarzkopf", "Thistlewood",
		"Underhill", "Valenzuela", "Weatherby", "Yamaguchi", "Zimmermann", "O'Donoghue", "Núñez", "Öztürk", "MacAllister", "Van der Berg",
	}
	femaleNames = []string{"Adelheid", "Beatrix", "Clementine", "Dorothea", "Eleonora", "Francesca", "Guinevere", "Henrietta", "Isabella", "Josephine", "Katarina", "Leocadia"}
	maleNames   = []string{"Aloysius", "Bartholomew", "Cornelius", "Demetrius", "Ezekiel", "Ferdinand", "Gottfried", "Humphrey", "Ignatius", "Leopold", "Maximilian", "Nathaniel"}
	streets     = []string{"Whispering Pines Road", "Cobblestone Lane", "Harborview Terrace", "Juniper Hollow", "Larkspur Avenue", "Millbrook Crossing"}
	places      = []struct{ city, state, zip string }{
		{"Brattleboro", "VT", "05301"}, {"Northampton", "MA", "01060"}, {"Poughkeepsie", "NY", "12601"}, {"Woonsocket", "RI", "02895"},
		{"Chattanooga", "TN", "37402"}, {"Albuquerque", "NM", "87102"}, {"Wickenburg", "AZ", "85390"}, {"White River Junction", "VT", "05901"}, {"Truth or Consequences", "NM", "87901"},
	}
	races = []code{{"urn:oid:2.16.840.1.113883.6.238", "2106-3", "White"}, {"urn:oid:2.16.840.1.113883.6.238", "2054-5", "Black or African American"}, {"urn:oid:2.16.840.1.113883.6.238", "2028-9", "Asian"}}

	conditions = []code{
		{snomed, "59621000", "Essential hypertension"}, {snomed, "44054006", "Diabetes mellitus type 2"}, {snomed, "195967001", "Asthma"},
		{snomed, "55822004", "Hyperlipidemia"}, {icd10, "M54.5", "Low back pain"}, {icd10, "F32.9", "Major depressive disorder"}, {snomed, "40055000", "Chronic sinusitis"},
	}
	observations = []struct {
		code
		unit     string
		low, per float64
	}{
		{code{loinc, "8480-6", "Systolic blood pressure"}, "mm[Hg]", 100, 0.6}, {code{loinc, "8867-4", "Heart rate"}, "/min", 55, 0.5},
		{code{loinc, "29463-7", "Body weight"}, "kg", 48, 0.7}, {code{loinc, "4548-4", "Hemoglobin A1c"}, "%", 4, 0.08},
		{code{loinc, "2339-0", "Glucose"}, "mg/dL", 70, 1.2}, {code{loinc, "2093-3", "Cholesterol"}, "mg/dL", 120, 1.1},
	}
	drugs      = []code{{rxnorm, "860975", "Metformin 500 MG"}, {rxnorm, "314076", "Lisinopril 10 MG"}, {rxnorm, "617312", "Atorvastatin 20 MG"}, {rxnorm, "308136", "Amlodipine 2.5 MG"}}
	procedures = []code{{snomed, "80146002", "Appendectomy"}, {snomed, "73761001", "Colonoscopy"}, {snomed, "430193006", "Medication reconciliation"}}
	vaccines   = []code{{cvx, "140", "Influenza"}, {cvx, "113", "Td (adult)"}, {cvx, "208", "COVID-19 mRNA"}}
	allergies  = []code{{snomed, "91936005", "Allergy to penicillin"}, {snomed, "91935009", "Allergy to peanuts"}, {snomed, "232347008", "Dander allergy"}}
	devices    = []code{{snomed, "14106009", "Cardiac pacemaker"}, {snomed, "337414009", "Blood glucose meter"}}
)
