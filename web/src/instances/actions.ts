/** What can be asked for of an instance in a browser. */
import { type Api, bodyOf } from "../api/client";
import type { Coverage, Installation, Instance, NewInstance, RotatedConnection } from "../api/types";

export async function register(api: Api, { name, instance_arn }: NewInstance): Promise<Instance> {
  const called = name?.trim() ?? "";
  return bodyOf(
    await api.POST("/v1/instances", {
      body: { instance_arn: instance_arn.trim(), name: called === "" ? null : called },
    }),
  );
}

/** Refused with `verification_failed` where a check fails; the instance has the checks in either case. */
export async function verify(api: Api, id: string): Promise<Instance> {
  return bodyOf(await api.POST("/v1/instances/{id}/verify", { params: { path: { id } }, body: {} }));
}

export async function uninstall(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/instances/{id}/installation", { params: { path: { id } } });
}

/** Refused while something is installed. */
export async function forgetInstance(api: Api, id: string): Promise<void> {
  await api.DELETE("/v1/instances/{id}", { params: { path: { id } } });
}

export async function lookNow(api: Api, instanceId: string): Promise<Installation> {
  return bodyOf(await api.POST("/v1/instances/{id}/installation/reconcile", { params: { path: { id: instanceId } } }));
}

export async function readProfilesNow(api: Api, instanceId: string): Promise<Coverage> {
  return bodyOf(await api.POST("/v1/instances/{id}/coverage/refresh", { params: { path: { id: instanceId } } }));
}

export async function rotateExternalId(api: Api, connectionId: string): Promise<RotatedConnection> {
  return bodyOf(await api.POST("/v1/connections/{id}/rotate-external-id", { params: { path: { id: connectionId } } }));
}
