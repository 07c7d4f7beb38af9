import type { LinkWords } from '../words.ts';

export const SPANISH: LinkWords = {
  // biome-ignore format: a table
  verify: [
    'verificar correo', 'verificar mi correo', 'verificar tu correo', 'verificar su correo', 'verifica tu correo',
    'verifique su correo', 'verificar email', 'verificar mi email', 'verificar cuenta', 'verificar mi cuenta',
    'verificar tu cuenta', 'verifica tu cuenta', 'confirmar correo', 'confirmar mi correo', 'confirmar tu correo',
    'confirmar su correo', 'confirma tu correo', 'confirme su correo', 'confirmar email', 'confirmar mi email',
    'confirmar cuenta', 'confirmar mi cuenta', 'confirmar tu cuenta', 'confirmar registro', 'confirmar mi registro',
    'confirmar tu registro', 'confirma tu registro', 'confirmar suscripción', 'confirmar mi suscripción',
    'confirmar tu suscripción', 'confirma tu suscripción', 'activar cuenta', 'activar mi cuenta', 'activar tu cuenta',
    'activar su cuenta', 'activa tu cuenta', 'active su cuenta', 'validar correo', 'validar mi correo',
    'completar registro', 'completar el registro', 'completa tu registro', 'completar tu registro',
    'verificar dirección', 'confirmar dirección de correo', 'confirmar la dirección', 'verificar la dirección',
    'verificar tu dirección', 'confirmar tu dirección', 'confirma tu dirección', 'enlace de verificación',
    'enlace de confirmación', 'enlace de activación', 'verificar el correo', 'confirmar el correo',
    'confirmar su suscripción', 'confirmar tu email', 'verificar tu email', 'verifica tu email', 'confirma tu email',
  ],
  verifyWeak: ['verificar', 'confirmar', 'activar', 'validar', 'confirmar ahora', 'verificar ahora'],
  // biome-ignore format: a table
  reset: [
    'restablece tu contraseña', 'restablezca su contraseña', 'cambia tu contraseña', 'cambie su contraseña',
    'restablecer la clave', 'restablecer contraseña', 'restablecer mi contraseña', 'restablecer tu contraseña',
    'restablecer su contraseña', 'restablecer la contraseña', 'cambiar contraseña', 'cambiar mi contraseña',
    'cambiar tu contraseña', 'cambiar la contraseña', 'nueva contraseña', 'recuperar contraseña',
    'recuperar mi contraseña', 'recuperar tu contraseña', 'olvidaste tu contraseña', 'crear contraseña',
    'crear una contraseña', 'recuperar cuenta', 'recuperar mi cuenta', 'recuperar tu cuenta',
    'restablecimiento de contraseña', 'restablecerla', 'reestablecer contraseña', 'olvidado tu contraseña',
    'resetear contraseña',
  ],
  // biome-ignore format: a table
  magic: [
    'iniciar sesión', 'inicia sesión', 'inicie sesión', 'inicio de sesión', 'enlace mágico', 'entrar', 'acceder',
    'entrar en mi cuenta', 'acceder a mi cuenta', 'acceder a tu cuenta', 'enlace de acceso', 'ingresar',
    'acceder ahora', 'entrar ahora', 'enlace de un solo uso',
  ],
  // biome-ignore format: a table
  unsubscribe: [
    'darse de baja', 'darme de baja', 'darte de baja', 'date de baja', 'dese de baja', 'cancelar suscripción',
    'cancelar la suscripción', 'cancelar mi suscripción', 'cancelar tu suscripción', 'cancelar su suscripción',
    'cancela tu suscripción', 'desuscribirse', 'desuscribirme', 'desuscribirte', 'anular suscripción',
    'anular la suscripción', 'anular tu suscripción', 'dejar de recibir', 'no recibir más', 'baja del boletín',
    'no deseas recibir', 'no quieres recibir', 'no desea recibir', 'solicitar la baja', 'dar de baja',
  ],
  // biome-ignore format: a table
  disowns: [
    'no fui yo', 'no he sido yo', 'no fuiste tú', 'no has solicitado', 'no solicitaste', 'no ha solicitado',
    'no has sido tú', 'no reconoces',
  ],
  // biome-ignore format: a table
  denial: [
    'reportar', 'denunciar', 'cancelar solicitud', 'ayuda', 'soporte', 'más información', 'saber más', 'leer más',
    'pedido', 'asistencia', 'cita', 'términos', 'privacidad', 'en el navegador', 'ver en línea', 'proteger mi cuenta',
    'envío', 'pago', 'reserva', 'compra', 'entrega',
  ],
  // biome-ignore format: a table
  generic: [
    'aquí', 'haz clic aquí', 'haga clic aquí', 'clic aquí', 'pulsa aquí', 'este enlace', 'enlace', 'el enlace',
    'siguiente enlace', 'continuar', 'siguiente', 'empezar', 'comenzar', 'abrir', 'botón', 'pincha aquí', 'sí',
    'presiona aquí',
  ],
};
