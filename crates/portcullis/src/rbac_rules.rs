//! The most that agents may do in a cluster, as RBAC rules.

/// Rules of the ClusterRole `portcullis:agent`.
///
/// Like Kubernetes' own role `edit` with the reads of cluster-scoped kinds that working with a cluster needs, and
/// without what gives secrets away: reading Secrets, `pods/{exec,attach,portforward,proxy,ephemeralcontainers}`,
/// `services/proxy`, `nodes/proxy`, `serviceaccounts/token`, and writing RBAC.
pub(crate) const AGENT_RULES: &str = "  \
  # Workloads and their configuration.
  - apiGroups: [\"\"]
    resources:
      - configmaps
      - endpoints
      - persistentvolumeclaims
      - pods
      - podtemplates
      - replicationcontrollers
      - serviceaccounts
      - services
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  - apiGroups: [apps]
    resources: [controllerrevisions, daemonsets, deployments, replicasets, statefulsets]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  - apiGroups: [batch]
    resources: [cronjobs, jobs]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses, networkpolicies]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
  # Scaling.
  - apiGroups: [\"\"]
    resources: [replicationcontrollers/scale]
    verbs: [get, update, patch]
  - apiGroups: [apps]
    resources: [deployments/scale, replicasets/scale, statefulsets/scale]
    verbs: [get, update, patch]
  # Reading logs and status.
  - apiGroups: [\"\"]
    resources:
      - namespaces/status
      - persistentvolumeclaims/status
      - pods/log
      - pods/status
      - replicationcontrollers/status
      - resourcequotas/status
      - services/status
    verbs: [get]
  - apiGroups: [apps]
    resources: [daemonsets/status, deployments/status, replicasets/status, statefulsets/status]
    verbs: [get]
  - apiGroups: [batch]
    resources: [cronjobs/status, jobs/status]
    verbs: [get]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers/status]
    verbs: [get]
  - apiGroups: [policy]
    resources: [poddisruptionbudgets/status]
    verbs: [get]
  - apiGroups: [networking.k8s.io]
    resources: [ingresses/status]
    verbs: [get]
  # Changing a pod's resources while it runs.
  - apiGroups: [\"\"]
    resources: [pods/resize]
    verbs: [get, update, patch]
  # Evicting a pod, which respects disruption budgets.
  - apiGroups: [\"\"]
    resources: [pods/eviction]
    verbs: [create]
  # Writing Secrets, not reading them.
  - apiGroups: [\"\"]
    resources: [secrets]
    verbs: [create, update, patch, delete]
  # Namespaces.
  - apiGroups: [\"\"]
    resources: [namespaces]
    verbs: [get, list, watch, create, update, patch, delete]
  # Read only: what explains how workloads behave.
  - apiGroups: [\"\"]
    resources: [events, limitranges, nodes, persistentvolumes, resourcequotas]
    verbs: [get, list, watch]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [get, list, watch]
  - apiGroups: [discovery.k8s.io]
    resources: [endpointslices]
    verbs: [get, list, watch]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [get, list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [ingressclasses]
    verbs: [get, list, watch]
  - apiGroups: [node.k8s.io]
    resources: [runtimeclasses]
    verbs: [get, list, watch]
  - apiGroups: [scheduling.k8s.io]
    resources: [priorityclasses]
    verbs: [get, list, watch]
  - apiGroups: [storage.k8s.io]
    resources: [csidrivers, csinodes, csistoragecapacities, storageclasses, volumeattachments]
    verbs: [get, list, watch]
  - apiGroups: [apiextensions.k8s.io]
    resources: [customresourcedefinitions]
    verbs: [get, list, watch]
  - apiGroups: [apiregistration.k8s.io]
    resources: [apiservices]
    verbs: [get, list, watch]
  - apiGroups: [rbac.authorization.k8s.io]
    resources: [clusterrolebindings, clusterroles, rolebindings, roles]
    verbs: [get, list, watch]
  - apiGroups: [metrics.k8s.io]
    resources: [nodes, pods]
    verbs: [get, list, watch]
";
