package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	vivavoce "vivavoce.example/go"
)

// clientOptions says who calls, and how the server is checked.
func clientOptions(chosen options) ([]vivavoce.Option, error) {
	made := []vivavoce.Option{vivavoce.WithName("vivatalk"), vivavoce.WithToken(chosen.token)}
	if chosen.ca == "" && !chosen.tls {
		return made, nil
	}
	roots, err := authorities(chosen.ca)
	if err != nil {
		return nil, err
	}
	return append(made, vivavoce.WithTLS(&tls.Config{RootCAs: roots})), nil
}

// authorities are those of a file, or of this machine where none is named.
func authorities(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return roots, nil
}
