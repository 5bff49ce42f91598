package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd runs etcd inside this process, on a free loopback port, and returns it with the URL it serves.
// Only holders of a certificate of this cluster can talk to it: another user of the machine must not be able to
// read the cluster's state.
func startEtcd(dir string, pki *pki) (*embed.Etcd, string, error) {
	loopback := url.URL{Scheme: "https", Host: "127.0.0.1:0"}
	tls := transport.TLSInfo{
		CertFile:       pki.path("server.crt"),
		KeyFile:        pki.path("server.key"),
		TrustedCAFile:  pki.path("ca.crt"),
		ClientCertAuth: true,
	}
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.LogOutputs = []string{filepath.Join(dir, "logs", "etcd.log")}
	cfg.LogLevel = "warn"
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{loopback}, []url.URL{loopback}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{loopback}, []url.URL{loopback}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.ClientTLSInfo, cfg.PeerTLSInfo = tls, tls
	cfg.UnsafeNoFsync = true // the data is thrown away with the cluster
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, "", fmt.Errorf("cannot start etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, "https://" + etcd.Clients[0].Addr().String(), nil
	case err := <-etcd.Err():
		return nil, "", fmt.Errorf("etcd ended: %w", err)
	case <-time.After(time.Minute):
		return nil, "", fmt.Errorf("etcd was not ready within a minute; see `%s`", cfg.LogOutputs[0])
	}
}
