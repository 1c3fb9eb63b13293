// Package installation makes a pipeline of the settings of an installation: the
// storage accounts, the key vault, the FHIR server and its tokens. The function
// app and the command line tool both begin here.
package installation
