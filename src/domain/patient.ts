/** A synthetic person. A pure function of (seed, namespace, index); see `population.ts`. */
export interface Patient {
  /** Index in the population, from 0. */
  index: number;
  /** Eight digits, unique over all namespaces of a seed. */
  mrn: string;
  /** Marked as synthetic by the configured prefix (`ZZTEST` by default). */
  lastName: string;
  firstName: string;
  sex: 'F' | 'M' | 'O';
  /** YYYYMMDD. */
  birthDate: string;
  street: string;
  city: string;
  state: string;
  postalCode: string;
  phone: string;
}
