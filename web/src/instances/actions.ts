/** What can be asked for of an instance in a browser, and who may. */
import { type Api, bodyOf } from "../api/client";
import type { Installation, Me, RotatedConnection } from "../api/types";
import { mayInstall } from "./installing";

/** Admins and above. */
export function mayRotate(me: Me): boolean {
  return mayInstall(me) && me.role !== "editor";
}

export async function lookNow(api: Api, instanceId: string): Promise<Installation> {
  return bodyOf(await api.POST("/v1/instances/{id}/installation/reconcile", { params: { path: { id: instanceId } } }));
}

export async function rotateExternalId(api: Api, connectionId: string): Promise<RotatedConnection> {
  return bodyOf(await api.POST("/v1/connections/{id}/rotate-external-id", { params: { path: { id: connectionId } } }));
}
